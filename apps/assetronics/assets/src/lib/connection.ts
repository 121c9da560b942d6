import { ref } from 'vue'

export type Connection = 'connecting' | 'connected' | 'reconnecting'

export const connection = ref<Connection>('connecting')

export function connectionChanged(next: Connection): void {
  // Until the first success a failure is still the first attempt, told to the user as reconnecting too.
  connection.value = next
}
