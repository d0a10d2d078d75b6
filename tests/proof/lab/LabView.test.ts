// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { LogEntry } from '@/lab/log.ts'
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
let faults: { path: string }[]

/** A server that refuses tokens at the push of a button, and logs what it sees. */
beforeEach(async () => {
  log = []
  clock = Date.now()
  expired = false
  faults = []
  const logged = (what: string, answer: () => Response) => {
    api.on(what, () => {
      const response = answer()
      note(what, response)
      return response
    })
  }
  logged(RESOURCE, () => (expired ? problem(401) : Response.json({})))
  logged('POST /api/auth/refresh', () => {
    expired = false
    return Response.json(grantFor(ada))
  })
  api.on('GET /api/__mock/log', () => log)
  api.on('POST /api/__mock/faults', () => {
    faults.push(api.sent.at(-1)!.body as { path: string })
    return noContent()
  })
  api.on('POST /api/__mock/conditions', () => ((faults = []), noContent()))
  api.on('POST /api/__mock/expire-access', () => ((expired = true), noContent()))
  api.on('POST /api/__mock/revoke-sessions', () => {
    logged('POST /api/auth/refresh', () => problem(401))
    return noContent()
  })
  await signedInAs(ada)
})

/** Each takes a millisecond, and one comes after the other. */
function note(what: string, { status }: Response, label = labelOfLast()): void {
  const [method = '', path = ''] = what.split(' ')
  log.push({ method, path, label, status, at: clock, endedAt: (clock += 1) })
}

const labelOfLast = () => new URLSearchParams(api.sent.at(-1)!.query).get('label') ?? undefined

/** The lab with nothing to go wrong, and nothing to compare with. */
async function showLab(): Promise<void> {
  show(LabView)
  await chooseNothing()
}

async function chooseNothing(): Promise<void> {
  await choose('What goes wrong', 'fine')
  comparison().checked = false
  comparison().dispatchEvent(new Event('input', { bubbles: true }))
  await settled()
}

const comparison = () => document.querySelector<HTMLInputElement>('[role="switch"]')!

const counts = () =>
  ['sent', 'rejected', 'refreshes', 'replayed'].map((name) =>
    words(document.querySelector(`[data-testid="lab-${name}"]`)!),
  )

const chart = () => document.querySelector('svg.trace')!

/** `rejected waiting replayed`: what the drawing shows of a request. Queueing depends on the day. */
function lane(number: number): string {
  const bars = [...chart().querySelectorAll(`[data-lane="${number}"] rect`)]
  const kinds = bars.map((rect) => rect.getAttribute('class')!.replace('trace-', ''))
  return kinds.filter((kind) => kind !== 'queued').join(' ')
}

/** Another tab of this lab, by the messages that it would send. */
function otherTab() {
  const channel = new EventTarget()
  const posted: { lab: string; type: string; run?: string }[] = []
  const close = () => {}
  vi.stubGlobal('BroadcastChannel', function open() {
    return Object.assign(channel, {
      postMessage: (it: (typeof posted)[0]) => posted.push(it),
      close,
    })
  })
  function say(message: object) {
    const data = { tab: 'other', ...message, lab: posted[0]!.lab }
    channel.dispatchEvent(new MessageEvent('message', { data }))
  }
  function progress(done: boolean) {
    const { run } = posted.find(({ type }) => type === 'go')!
    const call = {
      lane: 1,
      at: 0,
      end: done ? 1 : null,
      answer: done ? '200' : '',
      ok: done,
      told: [],
      pauses: [],
    }
    say({ type: 'progress', run, record: { tab: 'other', calls: [call], done } })
  }
  return { say, progress }
}

async function choose(label: string, value: string): Promise<void> {
  const field = screen.field(label) as unknown as HTMLSelectElement
  field.value = value
  for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }))
  await settled()
}

describe('The refresh lab', () => {
  it('has counted nothing before the first run', () => {
    show(LabView)

    expect(counts()).toEqual(['–', '–', '–', '–'])
  })

  it('shows an example before the first run, which nobody takes for a result', async () => {
    show(LabView)
    const region = screen.region('No run yet')

    expect(words(region)).toContain('Nothing has been sent. The faint bars are an example')
    expect(words(chart().querySelector('title')!)).toBe('Example of a run')
    expect(words(chart().querySelector('desc')!)).toContain('Nothing was sent yet.')
    expect(lane(1)).toMatch(/^rejected waiting replayed/)
    expect(chart().querySelectorAll('.is-example')).toHaveLength(2)
    expect(words(chart())).not.toMatch(/answered|\d refresh/)
    expect(screen.has('Save as SVG')).toBe(false)
    expect(document.querySelector<HTMLElement>('.lab-counts')!.hidden).toBe(true)

    await chooseNothing()
    await click(screen.button('Send requests'))

    expect(screen.region('Last run')).toBe(region)
    expect(chart().querySelector('.is-example')).toBeNull()
    expect(words(region)).not.toContain('example')
    expect(document.querySelector<HTMLElement>('.lab-counts')!.hidden).toBe(false)
  })

  it('shows the room for a run that would be unlike the example', async () => {
    show(LabView)
    await choose('What goes wrong', 'fine')

    expect(words(chart().querySelector('title')!)).toBe('Room for the next run')
    expect(words(screen.region('No run yet'))).not.toContain('example')
    expect(chart().querySelector('[data-lane]')).toBeNull()
    expect(chart().querySelectorAll('.trace-silent .trace-tab path')).toHaveLength(10)
  })

  it('begins with a token that the server refuses, beside the classic interceptor', () => {
    show(LabView)

    expect(screen.field('What goes wrong').value).toBe('refused')
    expect(comparison().checked).toBe(true)
  })

  it.each(['Expire access token', 'Revoke session'])(
    'breaks nothing more in the run after “%s”, and leaves the comparison as it was chosen',
    async (button) => {
      show(LabView)
      await click(screen.button(button))

      expect(screen.field('What goes wrong').value).toBe('fine')
      expect(comparison().checked).toBe(true)
    },
  )

  it('brings the result into view, where it is below the form', async () => {
    await showLab()
    const scroll = vi.spyOn(screen.region('No run yet'), 'scrollIntoView')
    await click(screen.button('Send requests'))
    expect(scroll).not.toHaveBeenCalled()

    const below = { top: 900, bottom: 1800 } as DOMRect
    vi.spyOn(screen.region('Last run'), 'getBoundingClientRect').mockReturnValue(below)
    await click(screen.button('Send requests'))
    expect(scroll).toHaveBeenCalledOnce()
  })

  it('sends ten requests unless told otherwise', async () => {
    await showLab()

    await click(screen.button('Send requests'))

    expect(counts()).toEqual(['10', '0', '0', '0'])
    expect(words(screen.status())).toBe('10 of 10 requests succeeded.')
  })

  it('shows that one refresh serves all requests with an expired token', async () => {
    await showLab()
    await type('Requests', '25')
    await click(screen.button('Expire access token'))
    expect(words(screen.status())).toMatch(/^The server refuses the access token/)

    await click(screen.button('Send requests'))

    expect(counts()).toEqual(['50', '25', '1', '25'])
    expect(words(screen.status())).toBe('25 of 25 requests succeeded.')
  })

  it('lets the refresh pass the requests that the browser has queued', async () => {
    await showLab()
    await click(screen.button('Expire access token'))
    await click(screen.button('Send requests'))

    const priorities = (of: string) =>
      new Set(api.sent.filter(({ what }) => what === of).map(({ priority }) => priority))
    expect([...priorities(RESOURCE)]).toEqual(['low'])
    expect([...priorities('POST /api/auth/refresh')]).toEqual([undefined])
  })

  it('works the controls without a token, so that they cost no refresh', async () => {
    await showLab()
    await click(screen.button('Expire access token'))
    await click(screen.button('Send requests'))
    await click(screen.button('Revoke session'))

    const controls = api.sent.filter(({ what }) => what.includes('/__mock/'))
    expect(controls.length).toBeGreaterThan(4)
    expect(controls.every(({ token }) => token === null)).toBe(true)
  })

  it('counts the last run alone', async () => {
    await showLab()
    await click(screen.button('Expire access token'))
    await click(screen.button('Send requests'))

    await click(screen.button('Send requests'))

    expect(counts()).toEqual(['10', '0', '0', '0'])
  })

  it('shows no counts of the last run while the next one is under way', async () => {
    await showLab()
    await click(screen.button('Send requests'))
    api.hold(RESOURCE)

    await click(screen.button('Send requests'))

    expect(counts()).toEqual(['–', '–', '–', '–'])
    expect(screen.region('Last run').getAttribute('aria-busy')).toBe('true')
  })

  it('says nothing of the last run while the next one is under way', async () => {
    await showLab()
    await click(screen.button('Send requests'))
    expect(words(screen.status())).not.toBe('')
    api.hold(RESOURCE)

    await click(screen.button('Send requests'))

    expect(words(screen.status())).toBe('')
  })

  it('says how many requests are too many for so many tabs', async () => {
    const other = otherTab()
    await showLab()
    for (const tab of ['two', 'three']) other.say({ type: 'here', tab })
    await type('Requests', '1000')

    await click(screen.button('Send requests'))

    expect(words(screen.alert())).toMatch(/^Requests: enter a whole number/)
    expect(api.count(RESOURCE)).toBe(0)
  })

  it('does one thing at a time', async () => {
    const answer = api.hold(RESOURCE)
    await showLab()
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
    await showLab()
    await type('Requests', requests)

    await click(screen.button('Send requests'))

    expect(api.count(RESOURCE)).toBe(0)
  })

  it('counts requests that failed as sent, not as succeeded', async () => {
    await showLab()
    await type('Requests', '3')
    let served = 0
    api.on(RESOURCE, () => {
      served += 1
      const response = served === 1 ? problem(404) : Response.json({})
      note(RESOURCE, response)
      return response
    })

    await click(screen.button('Send requests'))

    expect(counts()).toEqual(['3', '0', '0', '0'])
    expect(words(screen.status())).toBe('2 of 3 requests succeeded.')
  })

  it('revokes the session, so that the next run ends at the sign-in', async () => {
    const router = await openApp('/lab')
    await chooseNothing()

    await click(screen.button('Revoke session'))
    expect(screen.has('The next request ends the session.')).toBe(true)
    await click(screen.button('Send requests'))

    expect(router.currentRoute.value.fullPath).toBe('/login?redirect=/lab')
    expect(screen.has('Your session has ended')).toBe(true)
    expect(words(screen.alert())).toBe('')
  })

  it('waits for another tab that takes longer, from when this one is done', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const other = otherTab()
    const answer = api.hold(RESOURCE)
    await showLab()
    other.say({ type: 'hello' })
    await type('Requests', '1')
    await click(screen.button('Send requests'))
    other.progress(false)
    await vi.advanceTimersByTimeAsync(20_000)
    await answer({})
    await vi.advanceTimersByTimeAsync(29_000)
    expect(counts()).toEqual(['–', '–', '–', '–'])

    other.progress(true)
    await vi.advanceTimersByTimeAsync(1000)

    expect(words(screen.status())).toBe('2 of 2 requests succeeded in 2 tabs.')
  })

  it('says that it needs the mock server', async () => {
    api.on('POST /api/__mock/expire-access', () => problem(404))
    await showLab()

    await click(screen.button('Expire access token'))

    expect(words(screen.alert())).toMatch(/^The lab needs the mock server/)
  })

  it('says that the log cannot be read, and can be used again', async () => {
    api.offline('GET /api/__mock/log')
    await showLab()
    await click(screen.button('Send requests'))
    expect(words(screen.alert())).toMatch(/^Cannot reach the server/)

    api.on('GET /api/__mock/log', () => log)
    await click(screen.button('Send requests'))

    expect(words(screen.alert())).toBe('')
    expect(counts()).toEqual(['10', '0', '0', '0'])
  })

  it('gives up a run that the log does not tell the end of', async () => {
    const answer = api.hold(RESOURCE)
    await showLab()
    await type('Requests', '1')
    await click(screen.button('Send requests'))
    api.on('GET /api/__mock/log', () => problem(500))

    await answer({})

    expect(words(screen.alert())).toMatch(/^The server has a problem/)
    expect(words(chart())).toContain('Given up')
  })

  it('leaves the server as it was, after a run and when one leaves', async () => {
    const router = await openApp('/lab')
    await chooseNothing()
    await click(screen.button('Send requests'))
    expect(faults).toEqual([])

    api.hold(RESOURCE)
    await click(screen.button('Send requests'))
    expect(faults.map(({ path }) => path)).toEqual(['/api/protected-resource', '/api/auth/refresh'])
    await router.push('/')
    await settled()
    expect(faults).toEqual([])
  })

  it('orders nothing from the server where nothing is to be slow', async () => {
    await showLab()
    await type('API (ms)', '0')
    await type('Refresh (ms)', '0')
    await click(screen.button('Send requests'))

    expect(
      api.sent.map(({ what }) => what).filter((what) => what.startsWith('POST /api/__m')),
    ).toEqual([])
  })

  it('says what a choice shows', async () => {
    await showLab()
    await choose('What goes wrong', 'slow')
    expect(screen.has('Half of the requests are made meanwhile')).toBe(true)

    await choose('What goes wrong', 'denied')
    expect(screen.has('In a spare session: you stay signed in.')).toBe(true)
  })

  it('gives its requests up before the code of the next page is asked for', async () => {
    api.hold(RESOURCE)
    const router = await openApp('/lab')
    await chooseNothing()
    const abortedBy: boolean[] = []
    router.addRoute({
      path: '/next',
      component: async () => {
        const requests = api.sent.filter(({ what }) => what === RESOURCE)
        abortedBy.push(...requests.map(({ signal }) => signal.aborted))
        return { render: () => null }
      },
    })
    await click(screen.button('Send requests'))

    await router.push('/next')

    expect(abortedBy).toEqual(Array(10).fill(true))
  })

  it('says nothing of what was given up, and can send again if one stays after all', async () => {
    const router = await openApp('/lab')
    await chooseNothing()
    router.addRoute({ path: '/never', component: () => new Promise(() => {}) })
    api.hold(RESOURCE)
    await click(screen.button('Send requests'))
    void router.push('/never')
    await settled()
    expect(words(screen.alert())).toBe('')

    await router.push('/lab')
    api.on(RESOURCE, {})
    await click(screen.button('Send requests'))

    expect(screen.has('10 of 10 requests succeeded.')).toBe(true)
  })

  it('gives its requests up when one leaves', async () => {
    api.hold(RESOURCE)
    const router = await openApp('/lab')
    await chooseNothing()
    await click(screen.button('Send requests'))

    await router.push('/')
    await settled()

    const requests = api.sent.filter(({ what }) => what === RESOURCE)
    expect(requests).toHaveLength(10)
    expect(requests.every(({ signal }) => signal.aborted)).toBe(true)
  })
})

describe('its drawing', () => {
  it('has room for the lanes before anything was sent', async () => {
    await showLab()
    const before = chart().getAttribute('height')
    await click(screen.button('Send requests'))

    expect(chart().getAttribute('height')).toBe(before)
  })

  it('has a lane for each request and one for the refresh', async () => {
    await showLab()
    await click(screen.button('Expire access token'))
    await click(screen.button('Send requests'))

    expect(chart().querySelectorAll('[data-lane]')).toHaveLength(10)
    expect(chart().querySelectorAll('.trace-refreshes .trace-granted')).toHaveLength(1)
    for (let number = 1; number <= 10; number += 1) {
      expect(lane(number)).toBe('rejected waiting replayed')
    }
  })

  it('says so where it shows fewer requests than were counted', async () => {
    await showLab()
    api.on(RESOURCE, () => {
      const response = Response.json({})
      note(RESOURCE, response)
      note(RESOURCE, response, `${labelOfLast()}9`)
      return response
    })
    await type('Requests', '1')
    await click(screen.button('Send requests'))

    expect(counts()).toEqual(['2', '0', '0', '1'])
    expect(screen.has('The drawing is incomplete (sent: 1 drawn, 2 counted)')).toBe(true)
  })

  it('shows a request that nothing stands in the way of', async () => {
    await showLab()
    await click(screen.button('Send requests'))

    expect(lane(1)).toBe('sent')
  })

  it('grows once a second where motion is unwanted', async () => {
    const toFake = ['Date', 'requestAnimationFrame', 'cancelAnimationFrame'] as const
    vi.useFakeTimers({ toFake: [...toFake] })
    onTestFinished(() => void vi.useRealTimers())
    vi.stubGlobal('matchMedia', () => ({ matches: true }))
    api.hold(RESOURCE)
    await showLab()
    await click(screen.button('Send requests'))
    const drawnAfter = async (milliseconds: number) => {
      vi.advanceTimersByTime(milliseconds)
      await settled()
      return chart().querySelectorAll('[data-lane] rect').length
    }

    expect(await drawnAfter(900)).toBe(0)
    expect(await drawnAfter(200)).toBe(10)
  })

  it('is told in words to those who do not see it', async () => {
    await showLab()
    await click(screen.button('Expire access token'))
    await click(screen.button('Send requests'))
    const told = (by: string) => words(document.getElementById(chart().getAttribute(by)!)!)

    expect(told('aria-labelledby')).toBe('Timeline of the last run')
    expect(told('aria-describedby')).toMatch(
      /^Silent refresh: 10 of 10 answered · 1 refresh, .*still signed in\./,
    )
  })

  it('is there as a table too', async () => {
    await showLab()
    await click(screen.button('Expire access token'))
    await click(screen.button('Send requests'))
    const details = document.querySelector('details')!
    details.open = true
    details.dispatchEvent(new Event('toggle'))
    await settled()

    const rows = [...details.querySelectorAll('tbody tr')].map((row) =>
      [...row.children].map(words),
    )
    expect(rows.map(([name]) => name)).toEqual(['Refresh', ...'123456789'.split(''), '10'])
    const [, , sent, rejected, waiting, replayed, trips, answer] = rows[1]!
    expect([sent, trips, answer]).toEqual(['–', '3', '200'])
    expect([rejected, waiting, replayed].every((time) => /^\d+$/.test(time!))).toBe(true)
  })

  it('is thin where there are many, and no heavier than it must be', async () => {
    await showLab()
    await type('Requests', '200')
    await click(screen.button('Expire access token'))
    await click(screen.button('Send requests'))

    expect(chart().querySelectorAll('[data-lane]')).toHaveLength(200)
    expect(chart().querySelectorAll('[data-lane] text')).toHaveLength(0)
    expect(chart().querySelectorAll('*').length).toBeLessThan(200 * 7)
  })

  it('sums up in words what is beyond 200 lanes', async () => {
    await showLab()
    await type('Requests', '250')
    await click(screen.button('Send requests'))

    expect(chart().querySelectorAll('[data-lane]')).toHaveLength(200)
    expect(words(chart())).toContain('and 50 more, 50 of them answered')
  })

  it('can be saved, once there is something in it', async () => {
    const create = vi.spyOn(URL, 'createObjectURL').mockReturnValue('blob:x')
    await showLab()
    expect(screen.has('Save as SVG')).toBe(false)

    await click(screen.button('Send requests'))
    await click(screen.button('Save as SVG'))
    expect(create).toHaveBeenCalledOnce()
    expect((create.mock.calls[0]![0] as Blob).type).toBe('image/svg+xml')
  })
})
