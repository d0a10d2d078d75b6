/** A fetch that notes what it is asked, and gives these answers, one after the other. */
export function stubFetch(...answers: (Response | Error)[]) {
  const sent: { url: string; method?: string; credentials?: string; body?: unknown }[] = []
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    const body = typeof init.body === 'string' ? JSON.parse(init.body) : init.body
    sent.push({ url: String(input), method: init.method, credentials: init.credentials, body })
    const answer = answers.shift()
    if (answer instanceof Error) throw answer
    return answer ?? new Response(null, { status: 204 })
  }
  return { fetch, sent }
}

export const json = (value: unknown, status = 200) => Response.json(value, { status })
