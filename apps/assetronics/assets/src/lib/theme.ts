import { ref } from 'vue'

export type Theme = 'system' | 'light' | 'dark'
const storageKey = 'assetronics.theme'

function stored(): Theme {
  const value = localStorage.getItem(storageKey)
  return value === 'light' || value === 'dark' ? value : 'system'
}

export const theme = ref<Theme>(stored())

export function applyTheme(next: Theme = theme.value): void {
  theme.value = next
  const root = document.documentElement
  if (next === 'system') {
    delete root.dataset.theme
    localStorage.removeItem(storageKey)
  } else {
    root.dataset.theme = next
    localStorage.setItem(storageKey, next)
  }
}

const order: Theme[] = ['system', 'light', 'dark']
export const nextTheme = (): Theme => order[(order.indexOf(theme.value) + 1) % order.length]!
