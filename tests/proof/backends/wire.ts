/**
 * The way to an API, seen from a browser: a fetch that notes what is sent, and on which the next
 * refresh can be broken, lost or held up.
 */

export interface Sent {
  method: string
  path: string
  body: string
  token: string | null
  credentials: RequestCredentials
}

/** An answer that is on its way for as long as the test wants. */
export interface HeldAnswer {
  /** Resolves when the API has answered. */
  answered: Promise<void>
  /** Lets the answer arrive, whether or not anybody still waits for it. */
  release: () => void
}

interface Fault {
  of: (sent: Sent) => boolean
  run: (answer: () => Promise<Response>) => Promise<Response>
}

export function createWire(
  fetch: typeof globalThis.fetch,
  isRefresh: (sent: Sent, before?: Sent) => boolean,
) {
  const sent: Sent[] = []
  const faults: Fault[] = []

  const watched: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const { method, url, headers, credentials } = request
    const { pathname: path } = new URL(url)
    const body = await request.clone().text()
    const entry = { method, path, body, token: headers.get('authorization'), credentials }
    request.signal.throwIfAborted()
    sent.push(entry)
    const next = faults.findIndex(({ of }) => of(entry))
    const [fault] = next < 0 ? [] : faults.splice(next, 1)
    return fault ? fault.run(() => fetch(request)) : fetch(request)
  }

  /** The next of these requests does not reach the API, and this is the answer, or the lack of one. */
  function breakNext(of: Fault['of'], answer: Response | Promise<Response> | Error): void {
    const run = async () => {
      if (answer instanceof Error) throw answer
      return answer
    }
    faults.push({ of, run })
  }

  /** The next of these requests reaches the API, and its answer is held up. */
  function hold(of: Fault['of']): HeldAnswer {
    let release = () => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    const answered = new Promise<void>((resolve) => {
      const run: Fault['run'] = async (answer) => {
        const response = await answer()
        // Read to its end: it is no longer in the power of an abort.
        const body = await response.arrayBuffer()
        resolve()
        await released
        return new Response(body, response)
      }
      faults.push({ of, run })
    })
    return { answered, release }
  }

  return {
    fetch: watched,
    sent,
    refreshes: () => sent.filter((entry, index) => isRefresh(entry, sent[index - 1])),
    /** How often this path, or one that ends like it, was called. */
    count: (method: string, path: string) =>
      sent.filter((entry) => entry.method === method && entry.path.endsWith(path)).length,

    breakNext: (path: string, answer: Response | Error) =>
      breakNext((entry) => entry.path.endsWith(path), answer),
    breakRefresh: (answer: Response | Promise<Response> | Error) => breakNext(isRefresh, answer),
    holdNext: () => hold(() => true),
    holdRefresh: () => hold(isRefresh),

    /** The next refresh reaches the API, and its answer gets lost. */
    loseRefresh(): void {
      const run: Fault['run'] = async (answer) => {
        await answer()
        throw new TypeError('Failed to fetch')
      }
      faults.push({ of: isRefresh, run })
    },
  }
}
