// @vitest-environment happy-dom
import { describe, expect, it, vi } from 'vitest'
import { useAuthStore } from '@/stores/auth.ts'
import { ada, grantFor } from '../../support/backend.ts'
import { click, screen, show, type, useScreen, words } from '../../support/screen.ts'
import SecondFactorView from './examples/SecondFactorView.vue'

vi.mock('@/api/backend.ts', async () => {
  const { createTwoStepBackend } = await import('./examples/second-factor.ts')
  return { baseURL: '/api', backend: createTwoStepBackend() }
})

const LOGIN = 'POST /api/auth/login'
const CODE = 'POST /api/auth/login/code'

const ticket = (value: string) => () => Response.json({ ticket: value }, { status: 401 })

/** Without words for people. */
const refusal = () => Response.json({ error: 'invalid_grant' }, { status: 401 })

const api = useScreen()

async function typePassword() {
  await type('Username', 'ada')
  await type('Password', 'secret')
  await click(screen.button('Sign in'))
}

async function typeCode(code: string) {
  await type('Code', code)
  await click(screen.button('Sign in'))
}

describe('The sign-in page with a second factor', () => {
  it('asks for a code once the password is right', async () => {
    api.on(LOGIN, ticket('t-1'))
    show(SecondFactorView)

    await typePassword()

    expect(document.activeElement).toBe(screen.field('Code'))
    expect(screen.field('Code').autocomplete).toBe('one-time-code')
    expect(words(screen.alert())).toBe('')
    expect(useAuthStore().status).toBe('anonymous')
  })

  it('signs in with the ticket and the code', async () => {
    api.on(LOGIN, ticket('t-1'))
    show(SecondFactorView)
    await typePassword()

    api.on(CODE, grantFor(ada))
    await typeCode(' 123456 ')

    expect(api.sent.map(({ body }) => body)).toEqual([
      { username: 'ada', password: 'secret' },
      { ticket: 't-1', code: '123456' },
    ])
    expect(useAuthStore().user).toEqual(ada)
  })

  it('lets a wrong code be typed again', async () => {
    api.on(LOGIN, ticket('t-1'))
    show(SecondFactorView)
    await typePassword()
    api.on(CODE, refusal)

    await typeCode('000000')

    expect(words(screen.alert())).toBe('Wrong code.')
    const { selectionStart, selectionEnd } = screen.field('Code')
    expect([selectionStart, selectionEnd]).toEqual([0, 6])
    api.on(CODE, grantFor(ada))
    await typeCode('123456')
    expect(api.sent.at(-1)!.body).toEqual({ ticket: 't-1', code: '123456' })
    expect(useAuthStore().isAuthenticated).toBe(true)
  })

  it('can start again, with the password', async () => {
    api.on(LOGIN, ticket('t-1'))
    show(SecondFactorView)
    await typePassword()

    await click(screen.button('Start again'))
    api.on(LOGIN, ticket('t-2'))
    await typePassword()
    api.on(CODE, grantFor(ada))
    await typeCode('123456')

    expect(api.sent.at(-1)!.body).toEqual({ ticket: 't-2', code: '123456' })
  })

  it('signs in at once if the API asks for no code', async () => {
    api.on(LOGIN, grantFor(ada))
    show(SecondFactorView)

    await typePassword()

    expect(useAuthStore().user).toEqual(ada)
  })

  it('tells a wrong password from a wrong code', async () => {
    api.on(LOGIN, refusal)
    show(SecondFactorView)

    await typePassword()

    expect(words(screen.alert())).toBe('Wrong username or password.')
  })

  it.each([400, 403, 422])(
    'says why the password is refused with %i, as the API says it',
    async (status) => {
      api.on(LOGIN, () => Response.json({ message: 'Your account was suspended.' }, { status }))
      show(SecondFactorView)

      await typePassword()

      expect(words(screen.alert())).toBe('Your account was suspended.')
      expect(document.activeElement).toBe(screen.field('Password'))
    },
  )

  it('says why a code is refused, as the API says it, or that it is wrong', async () => {
    api.on(LOGIN, ticket('t-1'))
    show(SecondFactorView)
    await typePassword()

    api.on(CODE, () => Response.json({ message: 'That code was used before.' }, { status: 422 }))
    await typeCode('123456')
    expect(words(screen.alert())).toBe('That code was used before.')
    expect(document.activeElement).toBe(screen.field('Code'))

    api.on(CODE, () => Response.json({ error: 'invalid_code' }, { status: 400 }))
    await typeCode('123456')
    expect(words(screen.alert())).toBe('Wrong code.')
  })

  it('takes no failure for a wrong password', async () => {
    api.on(LOGIN, () => Response.json({}, { status: 503 }))
    show(SecondFactorView)

    await typePassword()

    expect(words(screen.alert())).toMatch(/^The server has a problem/)
  })
})
