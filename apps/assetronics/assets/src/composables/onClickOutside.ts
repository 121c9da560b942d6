import { onBeforeUnmount, onMounted, type Ref } from 'vue'

export function onClickOutside(element: Ref<HTMLElement | undefined>, run: () => void): void {
  const onPointer = (event: PointerEvent) => {
    if (element.value && !element.value.contains(event.target as Node)) run()
  }
  onMounted(() => document.addEventListener('pointerdown', onPointer))
  onBeforeUnmount(() => document.removeEventListener('pointerdown', onPointer))
}
