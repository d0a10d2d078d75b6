import '@/assets/main.css'
import { PiniaColada } from '@pinia/colada'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from '@/App.vue'
import { installAuthGuard } from '@/auth/index.ts'
import { followTheme } from '@/composables/theme.ts'
import { installDevtools } from '@/devtools.ts'
import { useAuthStore } from '@/stores/auth.ts'
import { coladaOptions } from '@/queries/index.ts'
import router from '@/router/index.ts'
import { forgetScrollPositions } from '@/router/scrollPositions.ts'
import { resetOnSessionChange } from '@/stores/resetOnSessionChange.ts'
import { reportError } from '@/tracker.ts'

followTheme()
const app = createApp(App)
app.config.errorHandler = reportError
if (import.meta.env.DEV) installDevtools(app)
app.use(createPinia().use(resetOnSessionChange))
app.use(PiniaColada, coladaOptions)
// Begins now, beside the loading of the first page; the guard waits for it and tells if it failed.
const auth = useAuthStore()
auth.restore().catch(() => {})
installAuthGuard(router, { auth })
forgetScrollPositions(router)
// The router asks for the first page's code: behind the refresh, for which the data wait.
void auth.restoreSent().then(() => {
  app.use(router)
  app.mount('#app')
})
