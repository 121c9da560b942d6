import { defineStore } from 'pinia'
import { ref } from 'vue'

export interface Toast {
  id: number
  kind: 'success' | 'error' | 'info'
  text: string
  action?: { label: string; run: () => void | Promise<void> }
}

export const useToasts = defineStore('toasts', () => {
  const toasts = ref<Toast[]>([])
  const timers = new Map<number, ReturnType<typeof setTimeout>>()
  let lastId = 0

  function show(toast: Omit<Toast, 'id'>) {
    const id = ++lastId
    toasts.value = [...toasts.value.slice(-3), { ...toast, id }]
    resume(id)
  }
  const success = (text: string, action?: Toast['action']) => show({ kind: 'success', text, action })
  const error = (text: string) => show({ kind: 'error', text })
  const info = (text: string) => show({ kind: 'info', text })

  function dismiss(id: number) {
    pause(id)
    toasts.value = toasts.value.filter((toast) => toast.id !== id)
  }
  function pause(id: number) {
    clearTimeout(timers.get(id))
    timers.delete(id)
  }
  function resume(id: number) {
    const toast = toasts.value.find((each) => each.id === id)
    if (toast) timers.set(id, setTimeout(() => dismiss(id), toast.action || toast.kind === 'error' ? 9000 : 4000))
  }
  async function act(toast: Toast) {
    dismiss(toast.id)
    await toast.action?.run()
  }

  return { toasts, show, success, error, info, dismiss, pause, resume, act }
})
