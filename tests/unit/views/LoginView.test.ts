// @vitest-environment happy-dom
import { describe, expect, it, vi } from 'vitest'
import { useAuthStore } from '@/stores/auth.ts'
import LoginView from '@/views/LoginView.vue'
import { ada, grantFor } from '../../support/backend.ts'
import {
  click,
  problem,
  screen,
  show,
  settled,
  type,
  useScreen,
  words,
} from '../../support/screen.ts'

const LOGIN = 'POST /api/auth/login'

const api = useScreen()

async function signIn(username = 'ada', password = 'secret') {
  await type('Username', username)
  await type('Password', password)
  await click(screen.button('Sign in'))
}

describe('Signing in', () => {
  it('signs in with what was typed', async () => {
    api.on(LOGIN, grantFor(ada))
    show(LoginView)

    await signIn('ada', ' secret ')

    expect(api.sent.map(({ body }) => body)).toEqual([{ username: 'ada', password: ' secret ' }])
    expect(useAuthStore().user).toEqual(ada)
  })

  it('leaves out the space that a phone adds to the username', async () => {
    api.on(LOGIN, grantFor(ada))
    show(LoginView)

    await signIn(' ada ')

    expect(api.sent.map(({ body }) => body)).toEqual([{ username: 'ada', password: 'secret' }])
  })

  it('sends nothing while a field is empty', async () => {
    show(LoginView)

    await signIn('ada', '')

    expect(api.sent).toEqual([])
  })

  it('tells password managers which field is which', () => {
    show(LoginView)

    expect(screen.field('Username').autocomplete).toBe('username')
    expect(screen.field('Password').autocomplete).toBe('current-password')
    expect(screen.field('Password').type).toBe('password')
  })

  it('takes no more than the API does', () => {
    show(LoginView)

    expect([screen.field('Username'), screen.field('Password')].map((f) => f.maxLength)).toEqual([
      200, 200,
    ])
  })

  it('says that it is busy, and does not send a second time', async () => {
    const answer = api.hold(LOGIN)
    show(LoginView)
    await signIn()
    const button = screen.button('Sign in')

    expect(button.getAttribute('aria-disabled')).toBe('true')
    expect(button.closest('form')?.getAttribute('aria-busy')).toBe('true')
    await click(button)
    expect(api.count(LOGIN)).toBe(1)

    await answer(new Response(null, { status: 401 }))
    expect(api.count(LOGIN)).toBe(1)
    expect(button.getAttribute('aria-disabled')).toBe('false')
    expect(button.closest('form')?.getAttribute('aria-busy')).toBe('false')
  })

  it('sends nothing more between the sign-in and the next page', async () => {
    api.on(LOGIN, grantFor(ada))
    show(LoginView)
    await signIn()

    await click(screen.button('Sign in'))

    expect(api.count(LOGIN)).toBe(1)
  })

  it('shows the password when asked to, and hides it again', async () => {
    show(LoginView)

    await click(screen.button('Show password'))
    expect(screen.field('Password').type).toBe('text')

    await click(screen.button('Hide password'))
    expect(screen.field('Password').type).toBe('password')
    expect(screen.has('Hide')).toBe(false)
  })

  it('fills in a demo account during development', async () => {
    vi.stubEnv('MOCK', 'true')
    api.on(LOGIN, grantFor(ada))
    show(LoginView)

    await click(screen.button('Fill in demo'))
    await click(screen.button('Sign in'))

    expect(api.sent.map(({ body }) => body)).toEqual([{ username: 'demo', password: 'password' }])
  })

  it('offers no demo account where the mock server does not answer', () => {
    show(LoginView)

    expect(screen.has('Demo accounts')).toBe(false)
  })
})

describe('When signing in fails', () => {
  it('has the place for the error from the start, so that it is announced', () => {
    show(LoginView)

    expect(words(screen.alert())).toBe('')
  })

  it('says that username or password is wrong, and lets the password be typed again', async () => {
    api.on(LOGIN, () => new Response(null, { status: 401 }))
    show(LoginView)
    const alert = screen.alert()

    await signIn()

    expect(words(alert)).toBe('Wrong username or password.')
    expect(screen.field('Username').value).toBe('ada')
    expect(document.activeElement).toBe(screen.field('Password'))
  })

  it.each([
    [
      'Invalid identifier or password',
      400,
      { error: { message: 'Invalid identifier or password' } },
    ],
    ['Your password has expired.', 422, { message: 'Your password has expired.' }],
    ['Your account was suspended', 403, { message: 'Your account was suspended', statusCode: 403 }],
  ])('says “%s” in the words of an API that answers %i', async (said, status, body) => {
    api.on(LOGIN, () => Response.json(body, { status }))
    show(LoginView)

    await signIn()

    expect(words(screen.alert())).toBe(said)
    expect(document.activeElement).toBe(screen.field('Password'))
  })

  it('selects the wrong password, so that typing takes its place', async () => {
    api.on(LOGIN, () => new Response(null, { status: 401 }))
    show(LoginView)

    await signIn('ada', 'wrong')

    const { selectionStart, selectionEnd } = screen.field('Password')
    expect([selectionStart, selectionEnd]).toEqual([0, 5])
  })

  it('says how long to wait after too many attempts', async () => {
    api.on(LOGIN, () => problem(429, { 'retry-after': '30' }))
    show(LoginView)

    await signIn()

    expect(words(screen.alert())).toBe('Too many requests. Try again in 30 seconds.')
  })

  it('says that the server cannot be reached', async () => {
    api.offline(LOGIN)
    show(LoginView)

    await signIn()

    expect(words(screen.alert())).toMatch(/^Cannot reach the server/)
  })

  it('says that the server has a problem, without its inner words', async () => {
    api.on(LOGIN, () => problem(500))
    show(LoginView)

    await signIn()

    expect(words(screen.alert())).toBe('The server has a problem. Try again in a moment.')
  })

  it('takes the error away with the next attempt, so that the same one is announced again', async () => {
    api.on(LOGIN, () => new Response(null, { status: 401 }))
    show(LoginView)
    await signIn()
    const answer = api.hold(LOGIN)

    await signIn()
    expect(words(screen.alert())).toBe('')

    await answer(new Response(null, { status: 401 }))
    expect(words(screen.alert())).toBe('Wrong username or password.')
  })

  it('says nothing of an attempt that was given up by signing out elsewhere', async () => {
    api.hold(LOGIN)
    api.on('POST /api/auth/logout', () => new Response(null, { status: 204 }))
    show(LoginView)
    await signIn()

    void useAuthStore().logout()
    await settled()

    expect(words(screen.alert())).toBe('')
    expect(screen.button('Sign in').getAttribute('aria-disabled')).toBe('false')
  })
})
