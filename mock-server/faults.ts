/**
 * Faults on demand: what the next requests for a path get instead of, or before, their answer.
 */
import { HTTPResponse, noContent, toRequest } from 'h3'
import type { H3, H3Event } from 'h3'
import * as v from 'valibot'
import { bearerToken } from './access.ts'
import { apiError, challenge } from './errors.ts'
import { isControl } from './log.ts'

/** How many can be on order at once. */
const MAX_FAULTS = 100

const Seconds = v.pipe(v.number(), v.integer(), v.minValue(0))

const FaultSchema = v.object({
  path: v.pipe(
    v.string(),
    v.startsWith('/api/'),
    v.check((path) => !isControl(path), 'The controls are never at fault'),
    v.check(isPathname, 'Give the path alone, as a request has it'),
  ),
  /** How many requests. */
  times: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1),
  status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599))),
  /** Milliseconds to wait first. */
  delayMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(600_000))),
  kind: v.optional(v.picklist(['drop', 'hang', 'malformed'])),
  /** The header `Retry-After`: seconds, or an HTTP date. */
  retryAfter: v.optional(v.union([Seconds, v.pipe(v.string(), v.regex(/^[ -~]+$/))])),
})

/** What `POST /api/__mock/faults` takes. */
export const FaultRequestSchema = v.pipe(
  FaultSchema,
  v.check(
    ({ status, delayMs, kind }) => (status ?? delayMs ?? kind) !== undefined,
    'Say what to do: status, delayMs or kind',
  ),
)

export type Fault = v.InferOutput<typeof FaultSchema>

/** As `event.url` has it: encoded, without dots, query and fragment. Another would never be met. */
function isPathname(path: string): boolean {
  return URL.canParse(path, 'http://mock') && new URL(path, 'http://mock').pathname === path
}

export type Faults = ReturnType<typeof createFaults>

export function createFaults() {
  let faults: Fault[] = []

  /** The oldest fault for this path, one time less. */
  function take(path: string): Fault | undefined {
    const fault = faults.find((fault) => fault.path === path)
    if (!fault) return
    fault.times -= 1
    if (fault.times === 0) faults = faults.filter((other) => other !== fault)
    return fault
  }

  /** Makes all requests subject to faults. */
  function register(app: H3): void {
    app.use(async (event, next) => {
      const fault = take(event.url.pathname)
      if (!fault) return next()

      const { delayMs = 0, kind, status } = fault
      if (delayMs > 0 || kind === 'hang') {
        await wait(kind === 'hang' ? Infinity : delayMs, event.req.signal)
        if (event.req.signal.aborted) return breakOff(event, event.req.signal.reason)
      }
      if (kind === 'drop') return breakOff(event, new TypeError('fetch failed'))
      if (kind === 'malformed' || status) return answer(event, fault)
      return next()
    })
  }

  return {
    register,
    /** @throws HTTPError 409 `too_many_faults` */
    add(fault: Fault): void {
      if (faults.length >= MAX_FAULTS) {
        const message = `There are ${MAX_FAULTS} faults on order. Reset the mock first.`
        throw apiError(409, 'too_many_faults', message)
      }
      faults.push({ ...fault })
    },
    clear(): void {
      faults = []
    },
  }
}

function answer(event: H3Event, { kind, status = 200, retryAfter }: Fault) {
  const { headers } = event.res
  if (retryAfter !== undefined) headers.set('Retry-After', String(retryAfter))
  if (status === 401) headers.set('WWW-Authenticate', challenge(bearerToken(event) !== undefined))
  if (kind === 'malformed') {
    headers.set('Content-Type', 'application/json')
    return new HTTPResponse('{"accessToken":"cut off in the mid', { status })
  }
  event.res.status = status
  return { status, message: 'A fault, as it was ordered.', data: { code: 'fault' } }
}

/** No answer will be sent: see `breakConnections`. */
function breakOff(event: H3Event, reason: unknown) {
  event.context.broken = { reason }
  return noContent()
}

/** Until the time is over, or the client has gone. */
function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = milliseconds === Infinity ? undefined : setTimeout(resolve, milliseconds)
    const stop = () => {
      clearTimeout(timer)
      resolve()
    }
    signal.addEventListener('abort', stop, { once: true })
  })
}

/**
 * A broken connection is no response, so it is not for h3 to send: over Node the socket is
 * destroyed, and in process `fetch` rejects, as it does in a browser.
 */
export function breakConnections(app: H3): void {
  const answer = app.fetch
  app.fetch = async (request) => {
    const response = await answer(request)
    const broken = request.context?.broken as { reason: unknown } | undefined
    if (!broken) return response
    delete request.context!.broken
    if (!request.runtime?.node) throw broken.reason
    request.runtime.node.res?.destroy()
    return response
  }
  app.request = async (input, init, context) => {
    const request = toRequest(input, init)
    return app.fetch(context ? Object.assign(request, { context }) : request)
  }
}
