import type { FetchOptions } from 'ofetch'
import { baseURL } from '@/api/backend.ts'
import { createApiClient } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'

/** `onProgress` gets the share that is sent, from 0 to 1. Abort with `signal` in the options. */
export function upload<T>(
  path: string,
  body: Blob | FormData,
  onProgress: (share: number) => void,
  options: FetchOptions<'json'> = {},
): Promise<T> {
  const api = createApiClient({ baseURL, auth: () => useAuthStore(), fetch })
  return api<T>(path, { method: 'POST', ...options, body })

  /** Only XMLHttpRequest tells how much of a body is sent. */
  function fetch(url: RequestInfo | URL, { method, headers, body, signal }: RequestInit = {}) {
    return new Promise<Response>((resolve, reject) => {
      const request = new XMLHttpRequest()
      request.open(method!, String(url))
      for (const [name, value] of new Headers(headers)) request.setRequestHeader(name, value)
      request.responseType = 'blob'
      request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 1)
      request.onload = () => resolve(responseOf(request))
      request.onerror = () => reject(new TypeError('The upload failed'))
      request.onabort = () => reject(signal!.reason)
      signal?.addEventListener('abort', () => request.abort())
      request.send(body as Blob)
    })
  }
}

function responseOf(request: XMLHttpRequest): Response {
  const { status, statusText, response } = request
  const lines = request.getAllResponseHeaders().split('\r\n').filter(Boolean)
  const headers = lines.map((line) => line.split(/: ?(.*)/, 2) as [string, string])
  return new Response(response.size > 0 ? response : null, { status, statusText, headers })
}
