/** An API whose every answer the test gives: it notes what reaches it, with the bytes. */

export interface Sent {
  url: string
  token: string | null
  headers: Headers
  method: string
  /** One character for each byte. */
  bytes: string
  signal: AbortSignal
  answer: (response: Response) => void
}

export function createStubApi() {
  const sent: Sent[] = []
  let arrive = () => {}

  /** Like the real one, it rejects when its signal aborts, and so does what is read of its answer. */
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const { url, headers, method, signal } = request
    const bytes = Buffer.from(await request.arrayBuffer()).toString('latin1')
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      const token = headers.get('authorization')
      const answer = (response: Response) => resolve(breakable(response, signal))
      sent.push({ url, token, headers, method, bytes, signal: init!.signal!, answer })
      arrive()
    })
  }

  /** Resolves when so many requests are here: a body may take longer to read than any fake clock. */
  async function arrived(count: number): Promise<void> {
    while (sent.length < count) await new Promise<void>((resolve) => (arrive = resolve))
  }

  return { fetch, sent, arrived }
}

/** As that of a real fetch, the body is an error when the signal of its request aborts. */
function breakable(response: Response, signal: AbortSignal): Response {
  if (!response.body) return response
  const reader = response.body.getReader()
  const breakOff = (controller: ReadableStreamDefaultController) => {
    controller.error(signal.reason)
    reader.cancel(signal.reason).catch(() => {})
  }
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        if (signal.aborted) breakOff(controller)
        else signal.addEventListener('abort', () => breakOff(controller))
      },
      async pull(controller) {
        const { done, value } = await reader.read()
        if (signal.aborted) return
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  const result = new Response(body, { headers: response.headers })
  for (const key of ['ok', 'redirected', 'status', 'statusText', 'type', 'url'] as const) {
    Object.defineProperty(result, key, { value: response[key] })
  }
  return result
}

export const ok = (body: unknown = { ok: true }) => Response.json(body)

export const unauthorized = () =>
  Response.json({ status: 401, message: 'expired' }, { status: 401 })

export const bearer = ({ accessToken }: { accessToken: string }) => `Bearer ${accessToken}`
