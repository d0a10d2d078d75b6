import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { explain, explainEnd, explainSignIn, fieldErrors, wordsOf } from '@/api/errors.ts'
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

  const body = { message: 'name: Enter a name.', data: { fields: { name: 'Enter a name' } } }

  it('points to the fields where they are what is wrong', () => {
    expect(explain(failure(400, {}, body), ['name'])).toBe('Check the fields that are marked.')
  })

  it('says what is wrong with a field that the form does not have', () => {
    expect(explain(failure(400, {}, body), ['title'])).toBe('name: Enter a name.')
    expect(explain(failure(422, {}, { errors: { team_id: ['Choose a team.'] } }))).toBe(
      'team_id: Choose a team.',
    )
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

/** Answers as these servers send them: [API, status, body, its words, its fields]. */
const ANSWERS: [string, number, unknown, string | undefined, Record<string, string>?][] = [
  [
    'FastAPI: HTTPException',
    401,
    { detail: 'Incorrect username or password' },
    'Incorrect username or password',
  ],
  [
    'FastAPI with pydantic 1',
    422,
    { detail: [{ loc: ['body', 'name'], msg: 'field required', type: 'value_error.missing' }] },
    undefined,
    { name: 'field required' },
  ],
  [
    'FastAPI with pydantic 2',
    422,
    {
      detail: [
        {
          type: 'string_too_short',
          loc: ['body', 'owner', 'name'],
          msg: 'String should have at least 1 character',
          input: '',
          ctx: { min_length: 1 },
        },
      ],
    },
    undefined,
    { 'owner.name': 'String should have at least 1 character' },
  ],
  [
    'FastAPI: a body that is no JSON',
    422,
    { detail: [{ type: 'json_invalid', loc: ['body'], msg: 'JSON decode error' }] },
    'JSON decode error',
  ],
  [
    'NestJS: an exception with words',
    401,
    { message: 'Your account was suspended', error: 'Unauthorized', statusCode: 401 },
    'Your account was suspended',
  ],
  [
    'NestJS: UnauthorizedException without words',
    401,
    { message: 'Unauthorized', statusCode: 401 },
    undefined,
  ],
  [
    'NestJS: ValidationPipe',
    400,
    {
      message: [
        'name must be a string',
        'name should not be empty',
        'owner.email must be an email',
      ],
      error: 'Bad Request',
      statusCode: 400,
    },
    undefined,
    { name: 'name must be a string', 'owner.email': 'owner.email must be an email' },
  ],
  [
    'NestJS: ValidationPipe with words of its own',
    400,
    { message: ['Please enter a name.', 'Choose a colour'], error: 'Bad Request', statusCode: 400 },
    'Please enter a name. Choose a colour',
  ],
  [
    'Laravel: validation',
    422,
    {
      message: 'The name field is required. (and 1 more error)',
      errors: {
        name: ['The name field is required.', 'The name must be a string.'],
        'tags.0': ['The tags.0 field is required.'],
      },
    },
    'The name field is required. (and 1 more error)',
    { name: 'The name field is required.', 'tags.0': 'The tags.0 field is required.' },
  ],
  ['Laravel: Sanctum', 401, { message: 'Unauthenticated.' }, undefined],
  [
    'Laravel: CSRF token mismatch',
    419,
    { message: 'CSRF token mismatch.' },
    'CSRF token mismatch.',
  ],
  [
    'tymon/jwt-auth: refresh',
    401,
    { error: 'Token has expired and can no longer be refreshed' },
    'Token has expired and can no longer be refreshed',
  ],
  [
    'Django REST framework: detail',
    401,
    { detail: 'No active account found with the given credentials' },
    'No active account found with the given credentials',
  ],
  [
    'Django REST framework: a serializer',
    400,
    { name: ['This field may not be blank.'], due_on: ['Date has wrong format.'] },
    undefined,
    { name: 'This field may not be blank.', due_on: 'Date has wrong format.' },
  ],
  [
    'Django REST framework: non_field_errors',
    400,
    { non_field_errors: ['Unable to log in with provided credentials.'] },
    'Unable to log in with provided credentials.',
  ],
  [
    'Django REST framework: ValidationError of one sentence',
    400,
    ['The project is closed.'],
    'The project is closed.',
  ],
  [
    'simplejwt: a token that is not valid',
    401,
    { detail: 'Token is invalid or expired', code: 'token_not_valid' },
    'Token is invalid or expired',
  ],
  [
    'Strapi 5: sign-in',
    400,
    {
      data: null,
      error: {
        status: 400,
        name: 'ValidationError',
        message: 'Invalid identifier or password',
        details: {},
      },
    },
    'Invalid identifier or password',
  ],
  [
    'Strapi 5: validation',
    400,
    {
      data: null,
      error: {
        status: 400,
        name: 'ValidationError',
        message: 'name must be defined.',
        details: {
          errors: [{ path: ['name'], message: 'name must be defined.', name: 'ValidationError' }],
        },
      },
    },
    'name must be defined.',
    { name: 'name must be defined.' },
  ],
  [
    'Supabase Auth',
    400,
    { code: 400, error_code: 'invalid_credentials', msg: 'Invalid login credentials' },
    'Invalid login credentials',
  ],
  [
    'Supabase Auth since 2024',
    400,
    { code: 'invalid_credentials', message: 'Invalid login credentials' },
    'Invalid login credentials',
  ],
  [
    'OAuth 2',
    400,
    { error: 'invalid_grant', error_description: 'Token is not active' },
    'Token is not active',
  ],
  ['OAuth 2 without words', 400, { error: 'invalid_grant' }, undefined],
  [
    'RFC 9457: problem details',
    422,
    {
      type: 'https://example.net/validation-error',
      title: 'Your request is not valid.',
      errors: [
        { detail: 'must be a positive integer', pointer: '#/age' },
        { detail: "must be 'green', 'red' or 'blue'", pointer: '#/profile/color' },
      ],
    },
    'Your request is not valid.',
    { age: 'must be a positive integer', 'profile.color': "must be 'green', 'red' or 'blue'" },
  ],
  [
    'RFC 9457 with a detail',
    403,
    {
      type: 'https://example.com/probs/out-of-credit',
      title: 'You do not have enough credit.',
      detail: 'Your current balance is 30, but that costs 50.',
      status: 403,
    },
    'Your current balance is 30, but that costs 50.',
  ],
  [
    'RFC 7807: invalid-params',
    400,
    {
      title: "Your request parameters didn't validate.",
      'invalid-params': [{ name: 'age', reason: 'must be a positive integer' }],
    },
    "Your request parameters didn't validate.",
    { age: 'must be a positive integer' },
  ],
  [
    'ASP.NET Core',
    400,
    {
      type: 'https://tools.ietf.org/html/rfc9110#section-15.5.1',
      title: 'One or more validation errors occurred.',
      status: 400,
      errors: { Name: ['The Name field is required.'] },
    },
    'One or more validation errors occurred.',
    { name: 'The Name field is required.' },
  ],
  [
    'Spring',
    401,
    {
      timestamp: '2026-01-01T00:00:00.000+00:00',
      status: 401,
      error: 'Unauthorized',
      path: '/login',
    },
    undefined,
  ],
  ['Rails', 422, { errors: { name: ["can't be blank"] } }, undefined, { name: "can't be blank" }],
  ['devise-jwt', 401, { error: 'Invalid Email or password.' }, 'Invalid Email or password.'],
  [
    'better-auth',
    401,
    { message: 'Invalid email or password', code: 'INVALID_EMAIL_OR_PASSWORD' },
    'Invalid email or password',
  ],
  [
    'FeathersJS',
    401,
    {
      name: 'NotAuthenticated',
      message: 'Invalid login',
      code: 401,
      className: 'not-authenticated',
      errors: {},
    },
    'Invalid login',
  ],
  [
    'Directus',
    401,
    {
      errors: [
        { message: 'Invalid user credentials.', extensions: { code: 'INVALID_CREDENTIALS' } },
      ],
    },
    'Invalid user credentials.',
  ],
  [
    'the mock',
    400,
    {
      status: 400,
      message: 'name: Enter a name.',
      data: { code: 'invalid_body', fields: { name: 'Enter a name' } },
    },
    'name: Enter a name.',
    { name: 'Enter a name' },
  ],
]

describe.each(ANSWERS)('the answer of %s', (_, status, data, words, fields = {}) => {
  it('is shown in its own words', () => {
    expect(wordsOf(failure(status, {}, data))).toBe(words)
  })

  it('names the fields', () => {
    expect(fieldErrors(failure(status, {}, data))).toEqual(fields)
  })

  it('is a refusal of the credentials, where it answers a sign-in', () => {
    const problems = Object.values(fields)
    const expected = words
      ? [words]
      : problems.length > 0
        ? problems
        : ['Wrong username or password.']
    const shown = explainSignIn(failure(status, {}, data))
    expect(expected.filter((part) => !shown.includes(part))).toEqual([])
  })
})

describe('the words of an API', () => {
  it('are plain text of one line, and no longer than two sentences need', () => {
    const message = `  Closed\n\u0007 until\u202e  Monday. ${'x '.repeat(400)}`
    const words = wordsOf(failure(400, {}, { message }))!
    expect(words).toMatch(/^Closed until Monday\. x x/)
    expect(words).toMatch(/…$/)
    expect(words.length).toBeLessThanOrEqual(300)
  })

  it.each([
    '<html><body>Blocked by the firewall</body></html>',
    { message: '<!doctype html><title>Blocked</title>' },
    { message: { text: 'An object' } },
    { message: 'ERR_TOKEN' },
    { message: [[]] },
    { error: { message: 42 } },
    { __proto__: { message: 'Inherited words' } },
    7,
    null,
  ])('are not found in %j', (data) => {
    expect(wordsOf(failure(400, {}, data))).toBeUndefined()
    expect(fieldErrors(failure(400, {}, data))).toEqual({})
  })

  it('are in any language', () => {
    expect(wordsOf(failure(400, {}, { message: '用户名或密码错误' }))).toBe('用户名或密码错误')
  })

  it.each([500, 429])('are not taken from a %i, whose words are not for people', (status) => {
    expect(wordsOf(failure(status, {}, { message: 'upstream 10.0.0.7 is down' }))).toBeUndefined()
  })
})

describe('explainEnd', () => {
  it.each([
    ['Your account was suspended', 'Your account was suspended.'],
    ['Access denied', ''],
    ['The refresh token is invalid or has expired.', ''],
    ['Session not found.', ''],
    ['Unauthenticated.', ''],
  ])('of "%s" says "%s"', (message, words) => {
    expect(explainEnd({ status: 401, data: { message } })).toBe(words)
  })

  it('says that the cookie was not kept, where none came', () => {
    const data = { message: 'No refresh token', data: { code: 'refresh_token_missing' } }
    expect(explainEnd({ status: 401, data })).toContain('Allow cookies')
  })

  it('says nothing of an end without a cause', () => {
    expect(explainEnd(null)).toBe('')
  })
})

describe('explainSignIn', () => {
  it('names a field once, whether the words of the API name it or not', () => {
    const tooShort = 'password must be longer than or equal to 4 characters'
    const nest = { statusCode: 400, error: 'Bad Request', message: [tooShort] }
    expect(explainSignIn(failure(400, {}, nest))).toBe(tooShort)
    const mock = { errors: { password: ['At least 4 characters.'] } }
    expect(explainSignIn(failure(422, {}, mock))).toBe('password: At least 4 characters.')
  })

  it.each([400, 401, 403, 404, 419, 422])('takes a %i without words for a refusal', (status) => {
    expect(explainSignIn(failure(status))).toBe('Wrong username or password.')
  })

  it.each([
    [429, 'Too many requests. Try again in a moment.'],
    [503, 'The server has a problem. Try again in a moment.'],
    [408, 'The server’s answer was not understood. Try again in a moment.'],
  ])('says of a %i that the server did not decide', (status, words) => {
    expect(explainSignIn(failure(status, {}, { message: 'Some inner words' }))).toBe(words)
  })

  it('says of a page by a firewall that the server did not decide', () => {
    expect(explainSignIn(failure(403, { 'content-type': 'text/html' }, '<h1>403</h1>'))).toBe(
      'The server’s answer was not understood. Try again in a moment.',
    )
  })

  it('says that there was no answer', () => {
    expect(explainSignIn(new TypeError('Failed to fetch'))).toMatch(/^Cannot reach the server/)
  })

  it('says nothing of a sign-in that was given up', () => {
    expect(explainSignIn(new SessionEndedError('signed-out'))).toBe('')
  })
})
