// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest'
import type { LogEntry } from '@/api/lab.ts'
import LabView from '@/views/LabView.vue'
import { ada, grantFor } from '../../support/backend.ts'
import {
  click,
  openApp,
  problem,
  screen,
  settled,
  show,
  signedInAs,
  type,
  useScreen,
  words,
} from '../../support/screen.ts'

const api = useScreen()
const RESOURCE = 'GET /api/protected-resource'
const noContent = () => new Response(null, { status: 204 })

let log: LogEntry[]
let clock: number
let expired: boolean

/** A server that refuses tokens at the push of a button, and logs what it sees. */
beforeEach(async () => {
  log = []
  clock = 1000
  expired = false
  const logged = (what: string, answer: () => Response) => {
    api.on(what, () => {
      const response = answer()
      const [method = '', path = ''] = what.split(' ')
      log.push({ method, path, status: response.status, at: (clock += 1) })
      return response
    })
  }
  logged(RESOURCE, () => (expired ? problem(401) : Response.json({})))
  logged('POST /api/auth/refresh', () => {
    expired = false
    return Response.json(grantFor(ada))
  })
  api.on('GET /api/__mock/log', () => log)
  api.on('POST /api/__mock/expire-access', () => ((expired = true), noContent()))
  api.on('POST /api/__mock/revoke-sessions', () => {
    logged('POST /api/auth/refresh', () => problem(401))
    return noContent()
  })
  await signedInAs(ada)
})

const counts = () =>
  ['sent', 'rejected', 'refreshes', 'replayed'].map((name) =>
    words(document.querySelector(`[data-testid="lab-${name}"]`)!),
  )

describe('The refresh lab', () => {
  it('has counted nothing before the first run', () => {
    show(LabView)

    expect(counts()).toEqual(['–', '–', '–', '–'])
  })

  it('sends ten requests unless told otherwise', async () => {
    show(LabView)

    await click(screen.button('Send requests'))

    expect(counts()).toEqual(['10', '0', '0', '0'])
    expect(words(screen.status())).toBe('10 of 10 requests succeeded.')
  })

  it('shows that one refresh serves all requests with an expired token', async () => {
    show(LabView)
    await type('Requests', '25')
    await click(screen.button('Expire access token'))
    expect(words(screen.status())).toMatch(/^The server refuses the access token/)

    await click(screen.button('Send requests'))

    expect(counts()).toEqual(['50', '25', '1', '25'])
    expect(words(screen.status())).toBe('25 of 25 requests succeeded.')
  })

  it('works the controls without a token, so that they cost no refresh', async () => {
    show(LabView)
    await click(screen.button('Expire access token'))
    await click(screen.button('Send requests'))
    await click(screen.button('Revoke session'))

    const controls = api.sent.filter(({ what }) => what.includes('/__mock/'))
    expect(controls.map(({ token }) => token)).toEqual([null, null, null, null, null])
  })

  it('counts the last run alone', async () => {
    show(LabView)
    await click(screen.button('Expire access token'))
    await click(screen.button('Send requests'))

    await click(screen.button('Send requests'))

    expect(counts()).toEqual(['10', '0', '0', '0'])
  })

  it('shows no counts of the last run while the next one is under way', async () => {
    show(LabView)
    await click(screen.button('Send requests'))
    api.hold(RESOURCE)

    await click(screen.button('Send requests'))

    expect(counts()).toEqual(['–', '–', '–', '–'])
    expect(screen.region('Last run').getAttribute('aria-busy')).toBe('true')
  })

  it('does one thing at a time', async () => {
    const answer = api.hold(RESOURCE)
    show(LabView)
    await type('Requests', '1')
    await click(screen.button('Send requests'))

    await click(screen.button('Send requests'))
    await click(screen.button('Revoke session'))
    expect(api.count(RESOURCE)).toBe(1)
    expect(api.count('POST /api/__mock/revoke-sessions')).toBe(0)

    await answer({})
    await click(screen.button('Revoke session'))
    expect(api.count('POST /api/__mock/revoke-sessions')).toBe(1)
  })

  it.each(['', '0', '1001', '2.5'])('does not send “%s” requests', async (requests) => {
    show(LabView)
    await type('Requests', requests)

    await click(screen.button('Send requests'))

    expect(api.count(RESOURCE)).toBe(0)
  })

  it('counts requests that failed as sent, not as succeeded', async () => {
    show(LabView)
    await type('Requests', '3')
    let served = 0
    api.on(RESOURCE, () => {
      served += 1
      const response = served === 1 ? problem(404) : Response.json({})
      log.push({ method: 'GET', path: RESOURCE.slice(4), status: response.status, at: clock + 1 })
      return response
    })

    await click(screen.button('Send requests'))

    expect(counts()).toEqual(['3', '0', '0', '0'])
    expect(words(screen.status())).toBe('2 of 3 requests succeeded.')
  })

  it('revokes the session, so that the next run ends at the sign-in', async () => {
    const router = await openApp('/lab')

    await click(screen.button('Revoke session'))
    expect(screen.has('The next request ends the session.')).toBe(true)
    await click(screen.button('Send requests'))

    expect(router.currentRoute.value.fullPath).toBe('/login?redirect=/lab')
    expect(screen.has('Your session has ended')).toBe(true)
    expect(words(screen.alert())).toBe('')
  })

  it('says that it needs the mock server', async () => {
    api.on('POST /api/__mock/expire-access', () => problem(404))
    show(LabView)

    await click(screen.button('Expire access token'))

    expect(words(screen.alert())).toMatch(/^The lab needs the mock server/)
  })

  it('says that the log cannot be read, and can be used again', async () => {
    api.offline('GET /api/__mock/log')
    show(LabView)
    await click(screen.button('Send requests'))
    expect(words(screen.alert())).toMatch(/^Cannot reach the server/)

    api.on('GET /api/__mock/log', () => log)
    await click(screen.button('Send requests'))

    expect(words(screen.alert())).toBe('')
    expect(counts()).toEqual(['10', '0', '0', '0'])
  })

  it('gives its requests up when one leaves', async () => {
    api.hold(RESOURCE)
    const router = await openApp('/lab')
    await click(screen.button('Send requests'))

    await router.push('/')
    await settled()

    const requests = api.sent.filter(({ what }) => what === RESOURCE)
    expect(requests).toHaveLength(10)
    expect(requests.every(({ signal }) => signal.aborted)).toBe(true)
  })
})
