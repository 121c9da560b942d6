import { channels } from '@bennu/client/vue'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { installPrefixKeys } from './composables/useShortcuts.ts'
import { socket } from './lib/socket.ts'
import { applyTheme } from './lib/theme.ts'
import { router } from './router.ts'
import { useToasts } from './stores/toasts.ts'
import './styles/app.css'

applyTheme()
installPrefixKeys()

const app = createApp(App)
app.use(createPinia())
app.use(router)
app.use(channels, socket)
// A fault in one component must neither take the page down nor pass unseen.
app.config.errorHandler = (error) => {
  console.error(error)
  useToasts().error('Something on this page went wrong. Reload it if it looks odd.')
}
app.mount('#app')
socket.connect()
