import '@/assets/main.css'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from '@/App.vue'
import { installAuthGuard, useAuthStore } from '@/auth/index.ts'
import router from '@/router/index.ts'
import { resetOnSessionChange } from '@/stores/resetOnSessionChange.ts'

const app = createApp(App)
app.use(createPinia().use(resetOnSessionChange))
// Begins now, beside the loading of the first page; the guard waits for it and tells if it failed.
useAuthStore()
  .restore()
  .catch(() => {})
installAuthGuard(router)
app.use(router)
app.mount('#app')
