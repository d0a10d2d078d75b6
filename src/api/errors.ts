/** Errors of API calls in words for people. What to do about them is left to the views. */
import { SessionEndedError, isRefusal, retryAfter } from '@/auth/index.ts'

const NOT_UNDERSTOOD = 'The server’s answer was not understood. Try again in a moment.'

/**
 * Says what went wrong and what to do. The server's own message is used where it refused the
 * request as such; its words for anything else are not for people.
 *
 * @param marked the fields at which the form shows what `fieldErrors` says
 */
export function explain(error: unknown, marked: string[] = []): string {
  if (error instanceof SessionEndedError) {
    // `replaced`: by a sign-in in another tab, and the same person goes on here. Else the page goes.
    return error.reason === 'replaced'
      ? 'You signed in again meanwhile. See whether it was done, or try again.'
      : ''
  }
  const status = statusOf(error)
  if (status === undefined) {
    const problem = isOutOfReach(error)
      ? 'Cannot reach the server. Check your connection and try again.'
      : NOT_UNDERSTOOD
    // A gateway whose own sign-in has expired redirects calls, which fail, and a page, which does not.
    return `${problem} If that does not help, reload the page.`
  }
  if (status === 403) return 'You don’t have permission to do this.'
  if (status === 429 || status >= 500) {
    const problem = status === 429 ? 'Too many requests' : 'The server has a problem'
    const wait = retryAfter(error, Date.now())
    return `${problem}. Try again in ${wait ? inWords(Math.ceil(wait / 1000)) : 'a moment'}.`
  }
  const names = Object.keys(fieldErrors(error))
  if (names.length > 0 && names.every((name) => marked.includes(name))) {
    return 'Check the fields that are marked.'
  }
  return wordsOf(error) ?? (inFields(error) || 'The server refused the request.')
}

/**
 * As `explain`, for a sign-in: whatever refuses it refuses the credentials, in the API's own words.
 *
 * @param wrong what to say if it has none
 */
export function explainSignIn(error: unknown, wrong = 'Wrong username or password.'): string {
  if (isRefusal(error)) return wordsOf(error) ?? (inFields(error) || wrong)
  const status = statusOf(error) ?? 0
  // A 4xx that is no refusal: a 408, or the page of a firewall or a gateway.
  return status >= 400 && status < 500 && status !== 429 ? NOT_UNDERSTOOD : explain(error)
}

/** Why a session has ended, if there is more to say: `endCause` of the store, the refusal of a refresh. */
export function explainEnd(error: unknown): string {
  if (at(Object(error).data, 'data.code') === 'refresh_token_missing') {
    return 'The browser did not keep the cookie of your session. Allow cookies for this site.'
  }
  const words = wordsOf(error) ?? ''
  // What an API says of a token is for its developers, and two words are the name of a status.
  const isTechnical = /token|jwt|session|authenticat|unauthori[sz]ed|credential|grant/i.test(words)
  if (isTechnical || words.split(' ').length < 3) return ''
  return /[.!?。！]$/.test(words) ? words : `${words}.`
}

/** Where APIs put a sentence for people. The first one that is there counts. */
const WORDS = [
  'message', // Laravel, Supabase, better-auth; a list in NestJS
  'msg', // Supabase
  'error_description', // OAuth 2
  'detail', // FastAPI, Django REST framework, RFC 9457
  'title', // RFC 9457
  'error.message', // Strapi
  'error', // devise-jwt, jwt-auth
  'errors.0.message', // Directus
  'detail.0.msg', // FastAPI, of the body as a whole
  'non_field_errors', // Django REST framework
  '', // Django REST framework: a list is the body
]

/** Where APIs say what is wrong with fields, by name: `{ name: words }`, or `{ name: [words] }`. */
const FIELDS_BY_NAME = ['data.fields', 'errors', ''] // The mock; Laravel, Rails, ASP.NET Core; DRF

/** Where there is a list of what is wrong, with the name in each entry. */
const FIELDS_IN_LISTS = [
  'detail', // FastAPI: { loc: ['body', name], msg }
  'message', // NestJS: 'name should not be empty'
  'error.details.errors', // Strapi: { path: [name], message }
  'errors', // RFC 9457: { pointer: '#/name', detail }
  'invalid-params', // RFC 7807: { name, reason }
]

/**
 * What the API itself says of a request that it refused, as plain text in one line of 300 characters
 * at most. Undefined if it has no words for people, but a code or the name of a status.
 */
export function wordsOf(error: unknown): string | undefined {
  const { data, status = 500 } = Object(error) as { data?: unknown; status?: number }
  if (status === 429 || status >= 500) return undefined
  const atFields = Object.values(fieldErrors(error))
  for (const path of WORDS) {
    const found = at(data, path)
    const text = asText(Array.isArray(found) ? found.map(asText).join(' ') : found)
    const isList = Array.isArray(found) || path.includes('.0.')
    const isAtField = isList && atFields.some((words) => text.includes(words!))
    if (isForPeople(text) && !isAtField) return text
  }
  return undefined
}

/** What the API says is wrong with fields of a form, by their names in the request. */
export function fieldErrors(error: unknown): Partial<Record<string, string>> {
  const { data } = Object(error) as { data?: unknown }
  const found = [
    ...FIELDS_BY_NAME.map((path) => readMap(at(data, path), path)),
    ...FIELDS_IN_LISTS.map((path) => readList(at(data, path))),
  ].find((fields) => fields.length > 0)
  const first: Partial<Record<string, string>> = {}
  for (const [name, words] of found ?? []) first[name] ??= words
  return first
}

type Field = [name: string, words: string]

function readMap(found: unknown, path: string): Field[] {
  if (typeof found !== 'object' || !found || Array.isArray(found)) return []
  const entries = Object.entries(found)
  // In a body that is the map itself, everything is about fields. Any other body has more in it.
  if (path === '' && !entries.every(([, words]) => Array.isArray(words))) return []
  return entries.flatMap(([name, words]) => field(name, [words].flat()[0]))
}

function readList(found: unknown): Field[] {
  return Array.isArray(found) ? found.flatMap(readEntry) : []
}

function readEntry(entry: unknown): Field[] {
  if (typeof entry === 'string') {
    // The words of class-validator begin with the name.
    const name = /^(?:each value in )?([a-z][\w.]*) (?:must|should|is|has|contains) /.exec(
      entry,
    )?.[1]
    return field(name, entry)
  }
  const { loc, path, pointer, name, msg, message, detail, reason } = Object(entry)
  const where = Array.isArray(loc)
    ? loc.slice(1)
    : (path ?? pointer?.replace?.(/^#?\//, '') ?? name)
  return field([where].flat().join('.').replace(/\//g, '.'), msg ?? message ?? detail ?? reason)
}

function field(name: unknown, words: unknown): Field[] {
  const text = asText(words)
  if (!name || typeof name !== 'string' || name === 'non_field_errors' || !text) return []
  return [[name[0]!.toLowerCase() + name.slice(1), text]] // ASP.NET Core capitalizes it.
}

/** What is in `data` under a path such as `error.message`. */
function at(data: unknown, path: string): unknown {
  let found = data
  for (const key of path ? path.split('.') : []) {
    const isOwn = Object.prototype.hasOwnProperty.call(Object(found), key)
    found = isOwn ? (found as Record<string, unknown>)[key] : undefined
  }
  return found
}

/** Plain text in one line, or nothing. */
function asText(found: unknown): string {
  if (typeof found !== 'string') return ''
  // Control characters, and those that turn the direction of what follows.
  const text = found.replace(/[\p{Cc}\s\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim()
  if (/^<[!?a-z]/i.test(text)) return '' // A page.
  return text.length > 300 ? `${text.slice(0, 299)}…` : text
}

/** A word alone is a code or the name of a status: `invalid_grant`, `Unauthorized`. */
function isForPeople(text: string): boolean {
  const isStatus =
    /^(?:bad request|not found|forbidden resource|unprocessable (?:entity|content))\.?$/i
  return !!text && !/^[\x21-\x7e]+$/.test(text) && !isStatus.test(text)
}

function inFields(error: unknown): string {
  const fields = Object.entries(fieldErrors(error))
  const line = ([name, words = '']: [string, string?]) =>
    words.startsWith(name) ? words : `${name}: ${words}`
  return fields.map(line).join(' ')
}

/** No answer, by the errors of `fetch` and of time limits, which ofetch wraps in its own. */
function isOutOfReach(error: unknown): boolean {
  const { name } = ((error as { cause?: unknown } | null)?.cause ?? error ?? {}) as Error
  return name === 'TypeError' || name === 'TimeoutError'
}

/** The HTTP status of the answer, or undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  return (error as { status?: number } | null)?.status
}

function inWords(seconds: number): string {
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`
  return `${Math.ceil(seconds / 60)} minutes`
}
