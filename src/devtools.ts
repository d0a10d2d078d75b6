/** For development: a tab *Auth* in Vue DevTools, with a timeline of what the session does. */
import { setupDevToolsPlugin } from '@vue/devtools-api'
import type { App } from 'vue'
import type { AuthEvent } from '@/auth/index.ts'

/** Of the plugin, its tab and its timeline. */
const ID = 'auth'

let show: (event: AuthEvent) => void = () => {}

/** `src/main.ts` calls this in development alone. */
export function installDevtools(app: App): void {
  setupDevToolsPlugin({ id: ID, label: 'Auth', packageName: 'src/auth', app }, (api) => {
    api.addInspector({ id: ID, label: 'Auth', icon: 'lock' })
    api.addTimelineLayer({ id: ID, label: 'Auth', color: 0x2f6f73 })
    show = ({ type, ...data }) => {
      const subtitle = 'outcome' in data ? data.outcome : ''
      api.addTimelineEvent({ layerId: ID, event: { time: api.now(), title: type, subtitle, data } })
    }
  })
}

/** Does nothing while there are no devtools. */
export function showInDevtools(event: AuthEvent): void {
  show(event)
}
