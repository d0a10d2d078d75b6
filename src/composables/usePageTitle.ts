/** The title of the page in the browser's tab. */
import { toValue, watch } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import { useRoute } from 'vue-router'

export const APP_NAME = 'Vue Silent Refresh'

export function setPageTitle(title?: string): void {
  document.title = title ? `${title} · ${APP_NAME}` : APP_NAME
}

/** In a view: puts `title`, once there is one, in the place of the title that the route has. */
export function usePageTitle(title: MaybeRefOrGetter<string | undefined>): void {
  const route = useRoute()
  // The router sets the title of the route with each navigation, also if only the query changes.
  watch([() => toValue(title), () => route.fullPath], ([title]) => title && setPageTitle(title), {
    immediate: true,
  })
}
