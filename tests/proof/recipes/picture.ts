import { onWatcherCleanup, ref, toValue, watchEffect } from 'vue'
import type { MaybeRefOrGetter, Ref } from 'vue'
import { api } from '@/api/client.ts'

/** The address of a protected picture, for `<img :src>`. Empty until it is loaded. */
export function usePicture(path: MaybeRefOrGetter<string>): Ref<string> {
  const source = ref('')
  watchEffect(async () => {
    const controller = new AbortController()
    onWatcherCleanup(() => {
      controller.abort()
      URL.revokeObjectURL(source.value)
      source.value = ''
    })
    const { signal } = controller
    const picture = await api(toValue(path), { responseType: 'blob', signal }).catch(() => null)
    if (picture && !signal.aborted) source.value = URL.createObjectURL(picture)
  })
  return source
}
