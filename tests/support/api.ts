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

  /** Like the real one, it rejects when its signal aborts. */
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const { url, headers, method, signal } = request
    const bytes = Buffer.from(await request.arrayBuffer()).toString('latin1')
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      const token = headers.get('authorization')
      sent.push({ url, token, headers, method, bytes, signal: init!.signal!, answer: resolve })
      arrive()
    })
  }

  /** Resolves when so many requests are here: a body may take longer to read than any fake clock. */
  async function arrived(count: number): Promise<void> {
    while (sent.length < count) await new Promise<void>((resolve) => (arrive = resolve))
  }

  return { fetch, sent, arrived }
}

export const ok = (body: unknown = { ok: true }) => Response.json(body)

export const unauthorized = () =>
  Response.json({ status: 401, message: 'expired' }, { status: 401 })

export const bearer = ({ accessToken }: { accessToken: string }) => `Bearer ${accessToken}`
