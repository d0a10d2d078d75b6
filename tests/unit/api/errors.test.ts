import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { explain, fieldErrors } from '@/api/errors.ts'
import { SessionEndedError } from '@/auth/index.ts'

function failure(status: number, headers: Record<string, string> = {}, data?: unknown): Error {
  const response = new Response(null, { status, headers })
  return Object.assign(new Error('[GET] "/api"'), { status, response, data })
}

describe('explain', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([
    ['1', '1 second'],
    ['89', '89 seconds'],
    ['90', '2 minutes'],
    ['600', '10 minutes'],
    ['Thu, 01 Jan 2026 00:00:45 GMT', '45 seconds'],
  ])('tells Retry-After: %s as %s', (header, wait) => {
    expect(explain(failure(429, { 'retry-after': header }))).toBe(
      `Too many requests. Try again in ${wait}.`,
    )
  })

  it('tells the Retry-After of a server in trouble too', () => {
    expect(explain(failure(503, { 'retry-after': '30' }))).toBe(
      'The server has a problem. Try again in 30 seconds.',
    )
  })

  it('tells a Retry-After that is a date by the time of the answer', () => {
    const headers = {
      'retry-after': 'Thu, 01 Jan 2026 12:00:45 GMT',
      date: 'Thu, 01 Jan 2026 12:00:00 GMT',
    }
    expect(explain(failure(429, headers))).toContain('Try again in 45 seconds.')
  })

  it.each(['', '0', 'soon', 'Wed, 31 Dec 2025 23:59:00 GMT'])(
    'names no time for Retry-After: “%s”',
    (header) => {
      expect(explain(failure(429, { 'retry-after': header }))).toBe(
        'Too many requests. Try again in a moment.',
      )
    },
  )

  it('takes the words of a server that refuses the request', () => {
    expect(explain(failure(400, {}, { message: 'Enter a name.' }))).toBe('Enter a name.')
  })

  it.each([undefined, null, 'text', {}, { message: '' }, { message: 42 }])(
    'finds words of its own for a refusal with %j',
    (data) => {
      expect(explain(failure(400, {}, data))).toBe('The server refused the request.')
    },
  )

  it('keeps the inner words of a server that failed to itself', () => {
    expect(explain(failure(502, {}, { message: 'upstream 10.0.0.7' }))).not.toContain('upstream')
  })

  it('tells apart a person without the right', () => {
    expect(explain(failure(403))).toBe('You don’t have permission to do this.')
  })

  it.each([
    new TypeError('Failed to fetch'),
    new Error('<no response>', { cause: new TypeError('Failed to fetch') }),
    new DOMException('The API took too long.', 'TimeoutError'),
    new Error('<no response>', { cause: new DOMException('late', 'TimeoutError') }),
  ])('says of %s that the server is out of reach', (error) => {
    expect(explain(error)).toMatch(/^Cannot reach the server.*reload the page\.$/)
  })

  it.each([
    new SyntaxError('Unexpected end of JSON input'),
    new Error('The API answered with something that is not a token grant: body'),
    undefined,
    null,
    'text',
  ])('says of %s, which has no status, that the answer was not understood', (error) => {
    expect(explain(error)).toMatch(/^The server’s answer was not understood.*reload the page\.$/)
  })

  it('points to the fields where they are what is wrong', () => {
    const body = { message: 'name: Enter a name.', data: { fields: { name: 'Enter a name' } } }
    expect(explain(failure(400, {}, body))).toBe('Check the fields that are marked.')
  })

  it('says what to do when the same person signed in again, and nothing of any other end', () => {
    expect(explain(new SessionEndedError('replaced'))).toMatch(/^You signed in again meanwhile\./)
    expect(explain(new SessionEndedError('expired'))).toBe('')
  })
})

describe('fieldErrors', () => {
  it('tells what is wrong with each field', () => {
    const fields = { name: 'Enter a name', dueOn: 'Too early' }
    expect(fieldErrors(failure(400, {}, { data: { fields } }))).toEqual(fields)
  })

  it.each([null, new TypeError('Failed to fetch'), failure(400), failure(502, {}, '<html>')])(
    'is empty for %s',
    (error) => {
      expect(fieldErrors(error)).toEqual({})
    },
  )
})
