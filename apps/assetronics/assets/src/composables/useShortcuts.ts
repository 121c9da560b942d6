import { onBeforeUnmount, onMounted } from 'vue'

/** Key names as KeyboardEvent.key gives them; "mod+Enter" means Ctrl or Cmd; "g a" is one key after the other. */
export type Shortcuts = Record<string, (event: KeyboardEvent) => void>

let pendingPrefix = ''
let prefixTimer: ReturnType<typeof setTimeout> | undefined

/** Plain keys rest while somebody types in a field or a dialog is open; mod+… always works. */
export function useShortcuts(shortcuts: Shortcuts): void {
  function onKey(event: KeyboardEvent) {
    if (event.defaultPrevented || event.altKey) return
    const mod = event.ctrlKey || event.metaKey
    const name = mod ? `mod+${event.key}` : event.key
    if (!mod && (isTyping(event.target) || document.querySelector('dialog[open]'))) return
    const handler = shortcuts[pendingPrefix ? `${pendingPrefix} ${name}` : name]
    if (!handler) return
    event.preventDefault()
    handler(event)
  }
  onMounted(() => window.addEventListener('keydown', onKey))
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey))
}

/** Remembers a `g` for the key that follows; installed once. */
export function installPrefixKeys(): void {
  window.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
    clearTimeout(prefixTimer)
    const isPrefix = event.key === 'g' && !pendingPrefix
    // Cleared after the handlers of this very key have run.
    prefixTimer = setTimeout(() => (pendingPrefix = ''), isPrefix ? 900 : 0)
    if (isPrefix) pendingPrefix = 'g'
  }, { capture: true })
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
}
