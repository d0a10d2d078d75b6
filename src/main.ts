import '@/assets/main.css'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from '@/App.vue'
import { installAuthGuard } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'
import router from '@/router/index.ts'
import { resetOnSessionChange } from '@/stores/resetOnSessionChange.ts'

const app = createApp(App)
app.use(createPinia().use(resetOnSessionChange))
// Begins now, beside the loading of the first page; the guard waits for it and tells if it failed.
const auth = useAuthStore()
auth.restore().catch(() => {})
installAuthGuard(router, { auth })
app.use(router)
app.mount('#app')
