/** How wide an element is, so that text in a drawing keeps its size. */
import { onScopeDispose, ref, watch } from 'vue'
import type { Ref } from 'vue'

const UNKNOWN = 640

/** In whole pixels of CSS. */
export function useWidth(element: Readonly<Ref<HTMLElement | null>>): Readonly<Ref<number>> {
  const width = ref(UNKNOWN)
  const measure = (size = 0) => (width.value = Math.floor(size) || UNKNOWN)
  const observer = globalThis.ResizeObserver
    ? new ResizeObserver(([entry]) => measure(entry?.contentRect.width))
    : undefined
  // Before the first paint, so that nothing is seen to move.
  watch(element, (element) => {
    if (!element) return
    measure(element.clientWidth)
    observer?.observe(element)
  })
  onScopeDispose(() => observer?.disconnect())
  return width
}
