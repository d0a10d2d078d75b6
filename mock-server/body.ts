/**
 * Reads request bodies. Bad input of any kind becomes a 400, 413 or 415 that says what is wrong,
 * and never a 500 (S5).
 */
import { assertBodySize, HTTPError, requireContentType } from 'h3'
import type { H3Event } from 'h3'
import * as v from 'valibot'
import { apiError } from './errors.ts'

const JSON_LIMIT = 16 * 1024

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

  const result = v.safeParse(schema, body)
  if (result.success) return result.output
  throw invalidBody(result.issues.map(explain).join(' '))
}

/**
 * The body as it came. The limit is in bytes, and holds for those that arrive rather than for the
 * number in Content-Length.
 *
 * @throws HTTPError 400 `invalid_body`, 413 `body_too_large`
 */
export async function readBytes(event: H3Event, limit: number): Promise<Uint8Array> {
  try {
    assertBodySize(event, limit)
    return new Uint8Array(await event.req.arrayBuffer())
  } catch (error) {
    if (HTTPError.isError(error) && error.status === 413) {
      throw apiError(413, 'body_too_large', `The body may have ${limit} bytes at most.`)
    }
    throw invalidBody('The body could not be read to its end.')
  }
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

export function invalidBody(message: string): HTTPError {
  return apiError(400, 'invalid_body', message)
}

function explain(issue: v.BaseIssue<unknown>): string {
  return `${v.getDotPath(issue) ?? 'body'}: ${issue.message}.`
}
