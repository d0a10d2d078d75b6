import { createApiClient } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'

/** Only XMLHttpRequest tells how much of a body is sent. It takes the place of `fetch`. */
export function upload<T>(path: string, file: Blob, onProgress: (share: number) => void) {
  const fetch: typeof globalThis.fetch = (url, init) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      request.open(init!.method!, String(url))
      for (const [name, value] of new Headers(init!.headers)) request.setRequestHeader(name, value)
      request.responseType = 'blob'
      request.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total)
      request.onload = () => {
        const { status, response } = request
        const headers = { 'content-type': request.getResponseHeader('content-type') ?? '' }
        resolve(new Response(status === 204 ? null : response, { status, headers }))
      }
      request.onerror = () => reject(new TypeError('The upload failed'))
      init!.signal?.addEventListener('abort', () => {
        request.abort()
        reject(init!.signal!.reason)
      })
      request.send(init!.body as Blob)
    })
  const api = createApiClient({ auth: () => useAuthStore(), fetch })
  return api<T>(path, { method: 'POST', body: file })
}
