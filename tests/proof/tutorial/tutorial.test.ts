/**
 * The tutorial's code is the code of ./steps, and each step cures what it says: in its scenario the
 * step before it fails, and the step and all that follow do not.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeLocks } from '../../support/browser.ts'
import type { HeldAnswer } from '../backends/wire.ts'
import { createChannels } from './channels.ts'
import { createServer, LIFETIME } from './server.ts'
import * as step1 from './steps/1-refresh-and-replay.ts'
import * as step2 from './steps/2-replay-once.ts'
import * as step3 from './steps/3-one-refresh.ts'
import * as step4 from './steps/4-late-401.ts'
import * as step5 from './steps/5-check-first.ts'
import * as step6 from './steps/6-temporary-failure.ts'
import * as step7 from './steps/7-sign-out-wins.ts'
import * as step8 from './steps/8-one-person.ts'
import * as step9 from './steps/9-late-response.ts'
import * as step10 from './steps/10-reload.ts'
import * as step11 from './steps/11-one-tab-at-a-time.ts'
import * as step12 from './steps/12-tabs-agree.ts'
import * as yours from './yours.ts'

type Step = Pick<typeof step5, 'createAuth'>

const STEPS: Step[] = [
  step1,
  step2,
  step3,
  step4,
  step5,
  step6,
  step7,
  step8,
  step9,
  step10,
  step11,
  step12,
]

/** The step and all that follow, and what is in yours.ts. */
const since = (first: number): [string, Step][] => [
  ...STEPS.map((step, index): [string, Step] => [`step ${index + 1}`, step]).slice(first - 1),
  ['your code', yours],
]

/** What a browser stores for its tabs. */
function createStorage() {
  const values = new Map<string, string>()
  return {
    values,
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  }
}

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

let server: ReturnType<typeof createServer>
let channels: ReturnType<typeof createChannels>
let storage: ReturnType<typeof createStorage>

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
  server = createServer()
  channels = createChannels()
  storage = createStorage()
  vi.stubGlobal('fetch', server.fetch)
  vi.stubGlobal('BroadcastChannel', channels.BroadcastChannel)
  vi.stubGlobal('localStorage', storage)
  vi.stubGlobal('navigator', { locks: new FakeLocks() })
  return () => vi.useRealTimers()
})

/** A tab with the code of a step. `ended` counts how often it was sent to the sign-in page. */
function openTab({ createAuth }: Step) {
  const ended = vi.fn<() => void>()
  return { ...createAuth(ended), ended }
}

function signedIn(step: Step, person = 'ada') {
  const tab = openTab(step)
  tab.login(server.signIn(person))
  return tab
}

const elapse = (seconds: number) => void vi.setSystemTime(Date.now() + seconds * 1000)
/** The error of a call whose session has ended. */
const endOf = (step: Step) => Object(step).SessionEndedError as typeof step7.SessionEndedError
/** Rejected, and not because the session has ended. */
const hasFailed = (step: Step) => (result: PromiseSettledResult<unknown>) =>
  result.status === 'rejected' && result.reason.constructor !== endOf(step)
const statusOf = async (answer: Promise<Response>) => (await answer).status
const personOf = async (answer: Promise<Response>) => (await (await answer).json()).for
const sentTo = (path: string) => server.sent.filter((request) => request.path === `/api${path}`)

describe('the text', () => {
  const tutorial = read('../../../docs/tutorial.md')
  const files = readdirSync(new URL('./steps', import.meta.url)).sort(
    (one, other) => parseInt(one) - parseInt(other),
  )

  it('shows the first step whole, and of the others what changes', () => {
    const blocks = [...tutorial.matchAll(/^```(?:ts|diff)\n([^]*?)^```$/gm)].map(([, code]) => code)
    const changes = files.slice(1).map((file, index) => changesOf(files[index]!, file))
    expect(blocks).toEqual([read(`./steps/${files[0]}`), ...changes])
  })

  /** As git shows it, without line numbers. */
  function changesOf(before: string, after: string): string {
    const paths = [before, after].map((file) =>
      fileURLToPath(new URL(`./steps/${file}`, import.meta.url)),
    )
    const options = ['diff', '--no-index', '--no-color', '--no-ext-diff', '-U1']
    const { stdout } = spawnSync('git', [...options, ...paths], { encoding: 'utf8' })
    const changes = stdout.slice(stdout.indexOf('@@')).replace(/^@@.*/gm, '@@')
    return `${changes.slice(3).replace(/^ $/gm, '').trimEnd()}\n`
  }

  it('names in each step a rule of docs/rules.md', () => {
    const rules = read('../../../docs/rules.md')
    const [, , ...steps] = tutorial.split(/^## (?=\d)/m)
    for (const step of steps) {
      const named = [...step.matchAll(/^\*\*(R\d+)/gm)].map(([, rule]) => rule!)
      expect(named).not.toEqual([])
      expect(named.filter((rule) => !rules.includes(`\n### ${rule}\n`))).toEqual([])
    }
    expect(steps).toHaveLength(files.length - 1)
  })
})

describe('the last step', () => {
  const code = read('./steps/12-tabs-agree.ts')
  const core = readdirSync(new URL('../../../src/auth', import.meta.url), { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => read(`../../../src/auth/${path}`))
    .join('\n')

  it('uses the names of src/auth', () => {
    const pattern = /(?:function|const|let|class|interface|type) (\w+)/g
    const names = [...code.matchAll(pattern)].map(([, name]) => name!)
    const own = ['api'] // In src/api/client.ts.
    const missing = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(core))
    expect(missing.filter((name) => !own.includes(name))).toEqual([])
    expect(names).toContain('tokenAfter401')
  })

  it('signs out after a reload during a refresh, unlike src/auth (R16)', async () => {
    const locks = new FakeLocks()
    vi.stubGlobal('navigator', { locks })
    const { api } = signedIn(step12)
    elapse(LIFETIME)
    const lost = server.holdRefresh()
    void api('/projects')
    await lost.answered
    locks.release('auth')
    const { api: apiAfter, ended } = openTab(step12)
    await expect(statusOf(apiAfter('/projects'))).rejects.toThrow('answered 401')
    expect(ended).toHaveBeenCalledOnce()
  })

  it('takes for a refusal what src/auth does', () => {
    const rule = /const TEMPORARY = .*/
    expect(code.match(rule)?.[0]).toBe(read('../../../src/auth/errors.ts').match(rule)?.[0])
  })
})

describe('step 1: the token dies', () => {
  it('without any step, the call fails', async () => {
    const { accessToken } = server.signIn('ada')
    elapse(LIFETIME)
    const headers = { authorization: `Bearer ${accessToken}` }
    expect(await statusOf(fetch('/api/projects', { headers }))).toBe(401)
  })

  it.each(since(1))('with %s, it is sent with another token', async (_, step) => {
    const { api } = signedIn(step)
    elapse(LIFETIME)
    expect(await statusOf(api('/projects'))).toBe(200)
    expect(server.refreshes()).toHaveLength(1)
  })
})

describe('step 2: a 401 that no token changes', () => {
  it('with step 1, the call never ends', async () => {
    const { api } = signedIn(step1)
    await expect(api('/always-401')).rejects.toThrow('There is no end of requests.')
  })

  it.each(since(2))(
    'R4: with %s, it is sent again once, and the second 401 is the answer',
    async (_, step) => {
      const { api, ended } = signedIn(step)
      expect(await statusOf(api('/always-401'))).toBe(401)
      expect(sentTo('/always-401')).toHaveLength(2)
      expect(ended).not.toHaveBeenCalled()
    },
  )
})

describe('step 3: three calls with a dead token', () => {
  async function burst(step: Step) {
    const tab = signedIn(step)
    server.expire()
    const calls = ['/projects', '/notifications', '/stats'].map((path) => tab.api(path))
    const results = await Promise.allSettled(calls)
    return { ...tab, answered: results.filter(({ status }) => status === 'fulfilled').length }
  }

  it('with step 2, each refreshes, and the person is signed out', async () => {
    const { answered, ended } = await burst(step2)
    expect(server.refreshes()).toHaveLength(3)
    expect(answered).toBeLessThan(3)
    expect(ended).toHaveBeenCalled()
  })

  it.each(since(3))('R1: with %s, they share one refresh', async (_, step) => {
    const { answered, ended } = await burst(step)
    expect(server.refreshes()).toHaveLength(1)
    expect(answered).toBe(3)
    expect(ended).not.toHaveBeenCalled()
  })
})

describe('step 4: a 401 that comes after the refresh', () => {
  async function late(step: Step) {
    const { api } = signedIn(step)
    server.expire()
    const held = server.holdNext()
    const answer = api('/slow')
    await held.answered
    expect(await statusOf(api('/fast'))).toBe(200)
    held.release()
    expect(await statusOf(answer)).toBe(200)
  }

  it('with step 3, it causes another refresh', async () => {
    await late(step3)
    expect(server.refreshes()).toHaveLength(2)
  })

  it.each(since(4))('R3: with %s, it causes a replay', async (_, step) => {
    await late(step)
    expect(server.refreshes()).toHaveLength(1)
  })
})

describe('step 5: a request that cannot succeed', () => {
  async function afterLunch(step: Step) {
    const { api } = signedIn(step)
    elapse(LIFETIME)
    await api('/upload')
  }

  async function duringRefresh(step: Step) {
    const { api } = signedIn(step)
    server.expire()
    const held = server.holdRefresh()
    const first = api('/projects')
    await held.answered
    const second = api('/upload')
    held.release()
    await Promise.all([first, second])
  }

  describe.each([
    ['past its lifetime', afterLunch],
    ['that is being replaced', duringRefresh],
  ])('with a token %s', (_, scenario) => {
    it('is sent with step 4, and once more', async () => {
      await scenario(step4)
      expect(sentTo('/upload')).toHaveLength(2)
    })

    it.each(since(5))('R2: waits with %s', async (_, step) => {
      await scenario(step)
      expect(sentTo('/upload')).toHaveLength(1)
      expect(server.refreshes()).toHaveLength(1)
    })
  })
})

describe('step 6: a refresh that fails', () => {
  const status = (status: number) => () => new Response(null, { status })
  const page = (status: number) =>
    new Response('<h1>Please wait</h1>', { status, headers: { 'content-type': 'text/html' } })

  async function fail(step: Step, answer: Response | Error) {
    const tab = signedIn(step)
    elapse(LIFETIME)
    server.breakRefresh(answer)
    const [result] = await Promise.allSettled([tab.api('/projects')])
    return { ...tab, result }
  }

  describe.each([
    ['a 503', status(503)],
    ['a 429', status(429)],
    ['a 403 of a firewall', () => page(403)],
    ['no network', () => new TypeError('Failed to fetch')],
    ['the page of a proxy', () => page(200)],
  ])('by %s', (_, answer) => {
    it('signs out with step 5', async () => {
      const { ended } = await fail(step5, answer())
      expect(ended).toHaveBeenCalledOnce()
    })

    it.each(since(6))(
      'R7: with %s, the call rejects, and the next one succeeds',
      async (_, step) => {
        const { api, ended, result } = await fail(step, answer())
        expect(result).toSatisfy(hasFailed(step))
        expect(ended).not.toHaveBeenCalled()
        expect(await statusOf(api('/projects'))).toBe(200)
      },
    )
  })

  describe.each([400, 401, 403, 404, 422])('by a %i', (refusal) => {
    it.each(since(6))('R8: signs out with %s', async (_, step) => {
      const { ended, result } = await fail(step, status(refusal)())
      expect(result.status).toBe('rejected')
      expect(ended).toHaveBeenCalledOnce()
    })
  })
})

describe('steps 7 to 9: what comes too late', () => {
  type Tab = ReturnType<typeof openTab>
  let sentBefore: number

  /** From now on nothing of Ada's is sent. */
  function leave(tab: Tab): void {
    tab.logout()
    server.signOut()
    sentBefore = server.sent.length
  }

  function switchToBob(tab: Tab): void {
    leave(tab)
    tab.login(server.signIn('bob'))
  }

  /** Ada makes a call, something happens while the answer to `held` is on its way. */
  async function during(held: HeldAnswer, tab: Tab, happen: (tab: Tab) => void) {
    const answer = tab.api('/projects', { method: 'POST' })
    await held.answered
    happen(tab)
    held.release()
    return answer
  }

  async function refreshAfterSignOut(step: Step) {
    const tab = signedIn(step)
    elapse(LIFETIME)
    await Promise.allSettled([during(server.holdRefresh(), tab, leave)])
    sentBefore = server.sent.length
    return tab.api('/projects')
  }

  async function callAfterSignOut(step: Step) {
    const tab = signedIn(step)
    elapse(LIFETIME)
    return during(server.holdRefresh(), tab, leave)
  }

  async function replayForBob(step: Step) {
    const tab = signedIn(step)
    server.expire()
    return during(server.holdNext(), tab, switchToBob)
  }

  async function answerForBob(step: Step) {
    return during(server.holdNext(), signedIn(step), switchToBob)
  }

  async function secondAnswerForBob(step: Step) {
    const tab = signedIn(step)
    server.expire()
    const refresh = server.holdRefresh()
    const answer = tab.api('/projects')
    await refresh.answered
    const held = server.holdNext()
    refresh.release()
    await held.answered
    switchToBob(tab)
    held.release()
    return answer
  }

  describe('step 7: the refusal of Ada’s refresh', () => {
    async function refuse(step: Step) {
      const tab = signedIn(step)
      elapse(LIFETIME)
      server.signOut()
      await Promise.allSettled([during(server.holdRefresh(), tab, switchToBob)])
      return tab.ended
    }

    it('signs Bob out with step 6', async () => {
      expect(await refuse(step6)).toHaveBeenCalledTimes(2)
    })

    it.each(since(7))('R12: does not with %s', async (_, step) => {
      expect(await refuse(step)).toHaveBeenCalledTimes(1)
    })
  })

  describe('step 7: Ada’s refresh ends during Bob’s', () => {
    /**
     * Bob's calls before and after that moment. Then his refresh fails: in step 12, a second one
     * would find the token of the first, and not be sent.
     */
    async function endDuringBobs(step: Step) {
      const tab = signedIn(step)
      elapse(LIFETIME)
      let fail = (_answer: Response) => {}
      const calls: Promise<unknown>[] = []
      const call = () => calls.push(personOf(tab.api('/projects')))
      const adas = during(server.holdRefresh(), tab, () => {
        switchToBob(tab)
        elapse(LIFETIME)
        server.breakRefresh(new Promise<Response>((resolve) => (fail = resolve)))
        call()
      })
      await Promise.allSettled([adas])
      call()
      fail(new Response(null, { status: 503 }))
      return Promise.allSettled(calls)
    }

    it.each(since(7))('R1: with %s, Bob’s requests share one refresh', async (_, step) => {
      const results = await endDuringBobs(step)
      expect(results.map(hasFailed(step))).toEqual([true, true])
      expect(server.refreshes()).toHaveLength(2)
    })
  })

  describe.each([
    [7, 'a refresh signs in again', 'R12', 'ada', refreshAfterSignOut],
    [7, 'a call that waited is sent', 'R12', 'ada', callAfterSignOut],
    [8, 'Ada’s call is replayed as Bob’s', 'R6', 'bob', replayForBob],
    [9, 'Ada’s data come to Bob', 'R6', 'ada', answerForBob],
    [9, 'Ada’s data come to Bob after a replay', 'R6', 'ada', secondAnswerForBob],
  ] as const)('step %i: %s', (number, _, rule, person, scenario) => {
    it('with the step before', async () => {
      expect(await personOf(scenario(STEPS[number - 2]!))).toBe(person)
    })

    it.each(since(number))(`${rule}: not with %s`, async (_, step) => {
      await expect(personOf(scenario(step))).rejects.toThrow(endOf(step))
      expect(server.sent.slice(sentBefore)).toEqual([])
    })
  })
})

describe('step 10: a reload', () => {
  function reload(step: Step, person = 'ada') {
    signedIn(step, person)
    return openTab(step)
  }

  it('signs out with step 9', async () => {
    await expect(statusOf(reload(step9).api('/projects'))).rejects.toThrow(step9.SessionEndedError)
  })

  it.each(since(10))('R14: costs one refresh with %s', async (_, step) => {
    const { api, ended } = reload(step)
    const calls = ['/projects', '/notifications'].map((path) => personOf(api(path)))
    expect(await Promise.all(calls)).toEqual(['ada', 'ada'])
    expect(server.refreshes()).toHaveLength(1)
    expect(ended).not.toHaveBeenCalled()
  })

  it.each(since(10))('R14: with %s, what is stored is no token', async (_, step) => {
    const grant = server.signIn('ada')
    openTab(step).login(grant)
    const stored = [...storage.values.values()].join()
    expect(stored).not.toBe('')
    expect(stored).not.toContain(grant.accessToken)
  })

  it.each(since(10))('R7: with %s, a 503 then does not sign out', async (_, step) => {
    reload(step)
    server.breakRefresh(new Response(null, { status: 503 }))
    await expect(statusOf(openTab(step).api('/projects'))).rejects.toThrow(Error)
    expect(await statusOf(openTab(step).api('/projects'))).toBe(200)
  })

  it.each(since(10))('with %s, nobody is signed in after a sign-out', async (_, step) => {
    signedIn(step).logout()
    await expect(statusOf(openTab(step).api('/projects'))).rejects.toThrow(endOf(step))
    expect(server.sent).toEqual([])
  })

  it.each(since(10))('R8: with %s, nor after a refusal', async (_, step) => {
    const tab = reload(step)
    server.signOut()
    await expect(statusOf(tab.api('/projects'))).rejects.toThrow(Error)
    expect(tab.ended).toHaveBeenCalledOnce()
    await expect(statusOf(openTab(step).api('/projects'))).rejects.toThrow(endOf(step))
  })
})

/** One tab, and another that was opened after the sign-in. */
async function openTwo(step: Step) {
  const tabs = [signedIn(step), openTab(step)] as const
  await tabs[1].api('/projects')
  await channels.arrived()
  server.sent.length = 0
  return tabs
}

/** What both tabs get, and how often each is signed out, if both refresh at the same time. */
async function bothRefresh(step: Step) {
  const tabs = await openTwo(step)
  elapse(LIFETIME)
  const answers = await Promise.allSettled(tabs.map(({ api }) => api('/projects')))
  return {
    answered: answers.filter(({ status }) => status === 'fulfilled').length,
    endings: tabs.map(({ ended }) => ended.mock.calls.length),
  }
}

describe('step 11: two tabs refresh', () => {
  it('with step 10, at once, and one is signed out', async () => {
    expect(await bothRefresh(step10)).toEqual({ answered: 1, endings: [0, 1] })
    expect(server.refreshes()).toHaveLength(2)
  })

  it.each(since(11))('R1: with %s, nobody is signed out', async (_, step) => {
    expect(await bothRefresh(step)).toEqual({ answered: 2, endings: [0, 0] })
  })

  it.each(since(11))(
    'R12: with %s, a tab that is signed out while it waits for the lock does not refresh',
    async (_, step) => {
      const [one, other] = await openTwo(step)
      elapse(LIFETIME)
      const held = server.holdRefresh()
      const answers = [one.api('/projects')]
      await held.answered
      answers.push(other.api('/projects'))
      other.logout()
      held.release()
      await expect(answers[1]).rejects.toThrow(endOf(step))
      await Promise.allSettled(answers)
      expect(server.refreshes()).toHaveLength(1)
    },
  )
})

describe('step 12: what one tab does', () => {
  it('R1: with step 11, both tabs refresh, one after the other', async () => {
    await bothRefresh(step11)
    expect(server.refreshes()).toHaveLength(2)
  })

  it.each(since(12))('R1: with %s, one refreshes for both', async (_, step) => {
    await bothRefresh(step)
    expect(server.refreshes()).toHaveLength(1)
  })

  it.each(since(12))(
    'with %s, a message that comes late costs a refresh, and nobody is signed out',
    async (_, step) => {
      channels.hold()
      expect(await bothRefresh(step)).toEqual({ answered: 2, endings: [0, 0] })
      expect(server.refreshes()).toHaveLength(2)
    },
  )

  it('R13: with step 11, the other tab stays signed in', async () => {
    const [one, other] = await openTwo(step11)
    one.logout()
    expect(await personOf(other.api('/projects'))).toBe('ada')
  })

  it.each(since(12))('R13: with %s, the other tab is signed out', async (_, step) => {
    const [one, other] = await openTwo(step)
    one.logout()
    await channels.arrived()
    expect(other.ended).toHaveBeenCalledOnce()
    await expect(statusOf(other.api('/projects'))).rejects.toThrow(endOf(step))
  })

  it.each([
    ['step 11', 'ada', step11],
    ['step 12', 'bob', step12],
    ['your code', 'bob', yours],
  ] as const)('R13: with %s, the other tab is that of %s', async (_, person, step) => {
    const [one, other] = await openTwo(step)
    one.login(server.signIn('bob'))
    await channels.arrived()
    expect(await personOf(other.api('/projects'))).toBe(person)
    expect(other.ended).not.toHaveBeenCalled()
  })

  it.each(since(12))(
    'R6: with %s, Ada’s token that comes late is not taken for Bob’s',
    async (_, step) => {
      const [one, other] = await openTwo(step)
      elapse(LIFETIME)
      channels.hold()
      await one.api('/projects')
      other.login(server.signIn('bob'))
      channels.release()
      expect(await personOf(other.api('/projects'))).toBe('bob')
    },
  )
})
