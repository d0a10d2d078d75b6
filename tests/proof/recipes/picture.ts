import { onWatcherCleanup, readonly, ref, toValue, watchEffect } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import { api } from '@/api/client.ts'

/**
 * A protected picture, for `<img :src="source">`. `source` is empty until it is loaded. Call `reload`
 * when another picture has taken its place.
 */
export function usePicture(path: MaybeRefOrGetter<string>) {
  const source = ref('')
  const reloads = ref(0)
  watchEffect(async () => {
    const controller = new AbortController()
    onWatcherCleanup(() => {
      controller.abort()
      URL.revokeObjectURL(source.value)
      source.value = ''
    })
    const { signal } = controller
    const cache = reloads.value ? 'reload' : 'default'
    const loaded = api(toValue(path), { responseType: 'blob', cache, signal })
    const picture = await loaded.catch(() => null)
    if (picture && !signal.aborted) source.value = URL.createObjectURL(picture)
  })
  return { source: readonly(source), reload: () => void (reloads.value += 1) }
}
