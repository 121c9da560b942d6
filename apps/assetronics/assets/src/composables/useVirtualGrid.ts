import { computed, onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

export interface Cell {
  width: number
  height: number
}

/**
 * Which part of a long grid is visible in its scroll container. Cells share the width evenly; only the rows in view,
 * and a few around them, exist in the page.
 */
export function useVirtualGrid(container: Ref<HTMLElement | undefined>, count: Ref<number>, cell: Ref<Cell>) {
  const width = ref(0)
  const height = ref(0)
  const top = ref(0)
  const spare = 4

  const columns = computed(() => Math.max(1, Math.floor(width.value / cell.value.width)))
  const rows = computed(() => Math.ceil(count.value / columns.value))
  const firstRow = computed(() => Math.max(0, Math.floor(top.value / cell.value.height) - spare))
  const lastRow = computed(() => Math.min(rows.value, Math.ceil((top.value + height.value) / cell.value.height) + spare))
  const start = computed(() => firstRow.value * columns.value)
  const end = computed(() => Math.min(count.value, lastRow.value * columns.value))
  const totalHeight = computed(() => rows.value * cell.value.height)
  const offset = computed(() => firstRow.value * cell.value.height)

  const measure = () => {
    if (!container.value) return
    width.value = container.value.clientWidth
    height.value = container.value.clientHeight
    top.value = container.value.scrollTop
  }
  const observer = new ResizeObserver(measure)
  onMounted(() => {
    measure()
    if (container.value) observer.observe(container.value)
    container.value?.addEventListener('scroll', measure, { passive: true })
  })
  onBeforeUnmount(() => observer.disconnect())

  return { columns, start, end, totalHeight, offset }
}
