/**
 * Reads request bodies. Bad input of any kind becomes a 400, 413 or 415 that says what is wrong,
 * and never a 500 (S5).
 */
import { HTTPError, requireContentType } from 'h3'
import type { H3Event } from 'h3'
import * as v from 'valibot'
import { apiError } from './errors.ts'

const JSON_LIMIT = 16 * 1024

/** Milliseconds for the rest of a body that is too large. */
const PATIENCE = 2000

/**
 * The body as `schema` sees it. No body at all counts as `{}`.
 *
 * @throws HTTPError 400 `invalid_body`, 413 `body_too_large`, 415 `unsupported_media_type`
 */
export async function readJson<S extends v.GenericSchema>(
  event: H3Event,
  schema: S,
): Promise<v.InferOutput<S>> {
  const bytes = await readBytes(event, JSON_LIMIT)
  if (bytes.length > 0 && !hasType(event, 'application/json')) {
    throw apiError(415, 'unsupported_media_type', 'Send the body as application/json.')
  }
  const body = bytes.length > 0 ? parseJson(bytes) : {}
  // valibot takes an array for an object, and all-optional fields would let it pass.
  if (Array.isArray(body)) throw invalidBody('The body must be a JSON object, not an array.')

  const result = v.safeParse(schema, body, { abortPipeEarly: true })
  if (result.success) return result.output
  const problems = result.issues.map((issue) => [v.getDotPath(issue), explain(issue)] as const)
  throw invalidBody(
    problems.map(([path, problem]) => `${path ?? 'body'}: ${problem}.`).join(' '),
    Object.fromEntries(problems.filter(([path]) => path)),
  )
}

/**
 * The body as it came. The limit is in bytes, and holds for those that arrive as well as for the
 * number in Content-Length.
 *
 * @throws HTTPError 400 `invalid_body`, 413 `body_too_large`
 */
export async function readBytes(event: H3Event, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const { body, headers } = event.req
  if (!body) return new Uint8Array()

  const isTooLarge = Number(headers.get('content-length')) > limit
  const bytes = isTooLarge ? null : await readUpTo(body, limit)
  if (bytes) return bytes

  await skipRest(event, body)
  throw apiError(413, 'body_too_large', `The body may have ${limit} bytes at most.`)
}

/** Null if there are more bytes; the rest of them is left in the stream. */
async function readUpTo(body: ReadableStream<Uint8Array<ArrayBuffer>>, limit: number) {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  const reader = body.getReader()
  let size = 0
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.length
      if (size > limit) return null
      chunks.push(part.value)
    }
    return new Uint8Array(await new Blob(chunks).arrayBuffer())
  } catch {
    throw invalidBody('The body could not be read to its end.')
  } finally {
    reader.releaseLock()
  }
}

/**
 * Reads on and keeps nothing. Answered earlier, a client that still sends would get a reset instead
 * of the answer, or wait forever for that of its next request. One that does not come to an end
 * loses its connection.
 */
async function skipRest(event: H3Event, body: ReadableStream): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE)
  await body.pipeTo(new WritableStream(), { signal, preventCancel: true }).catch(() => {
    event.res.headers.set('Connection', 'close')
  })
}

/** @throws HTTPError 400 `invalid_body` */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    // `fatal`: bytes that are not UTF-8 are refused, where `text()` would put U+FFFD for them.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw invalidBody('The body is not JSON in UTF-8.')
  }
}

export function hasType(event: H3Event, type: string): boolean {
  try {
    return Boolean(requireContentType(event, type))
  } catch {
    return false
  }
}

/** `fields`: what is wrong with each, for a form. */
export function invalidBody(message: string, fields?: Record<string, string>): HTTPError {
  return new HTTPError({ status: 400, message, data: { code: 'invalid_body', fields } })
}

/** Without what was received, which may be a password. */
function explain({ message, received }: v.BaseIssue<unknown>): string {
  return message.replace(` but received ${received}`, '')
}
