/** What may happen in the world: steps that tell themselves in a sentence. */
import fc from 'fast-check'
import type { Person } from './model.ts'
import type { Endpoint, Outcome, Plan } from './network.ts'
import type { RequestOptions, Setup, Tab, World } from './world.ts'

/** Something that happens. Its sentence is what a failure prints. */
export interface Step {
  /** Whether it can happen now; else it is left out. */
  possible(world: World): boolean
  happen(world: World): void | Promise<void>
  [fc.toStringMethod]: () => string
}

function step(
  sentence: string,
  happen: Step['happen'],
  possible: Step['possible'] = () => true,
): Step {
  return { happen, possible, [fc.toStringMethod]: () => `\n  ${sentence}` }
}

/** A step of one tab, which is open and awake. */
function tabStep(
  story: string,
  happen: (world: World, tab: Tab) => void | Promise<void>,
  possible: (world: World, tab: Tab) => boolean = () => true,
): fc.Arbitrary<Step> {
  return place.map((at) =>
    step(
      `tab ${at + 1}: ${story}`,
      (world) => happen(world, world.places[at]!),
      (world) =>
        !!world.places[at]?.awake && isAlone(world, at) && possible(world, world.places[at]),
    ),
  )
}

const place = fc.nat({ max: 2 })

/** Without Web Locks nothing keeps two tabs apart of which one signs somebody in or out. */
function isAlone(world: World, at: number): boolean {
  return world.setup.locks || !world.signsElsewhere(world.places[at] ?? null)
}

const request = fc
  .record<RequestOptions>({
    method: fc.constantFrom('GET', 'POST'),
    to: fc.oneof(
      { weight: 12, arbitrary: fc.constant('api' as const) },
      {
        weight: 3,
        arbitrary: fc.constant('broken route' as const),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom('api without a token' as const, 'elsewhere' as const),
      },
    ),
    abortable: fc.boolean(),
  })
  .chain((options) => {
    const { method, to, abortable } = options
    const story = `${method} to the ${to}${abortable ? ', abortable' : ''}`
    return tabStep(story, (world, tab) => world.request(tab, options))
  })

const abort = tabStep(
  'the caller aborts its oldest request',
  (world, tab) => abortable(world, tab)!.controller.abort(new Error('The caller has left.')),
  (world, tab) => !!abortable(world, tab),
)

function abortable(world: World, tab: Tab) {
  return world.requests.find((one) => one.tab === tab && one.abortable && !one.settled)
}

const signIn = fc
  .tuple(fc.constantFrom<Person>('ada', 'bob'), fc.constantFrom('right', 'right', 'wrong'))
  .chain(([person, password]) =>
    tabStep(
      `signs in as ${person}${password === 'wrong' ? ' with a wrong password' : ''}`,
      (world, tab) => world.signIn(tab, person, password),
      (world, tab) => world.setup.locks || !world.isBusyElsewhere(tab),
    ),
  )

const signOut = tabStep('signs out', (world, tab) => world.signOut(tab))

const refresh = tabStep('asks for a refresh', (world, tab) => world.refresh(tab))

const sleep = tabStep('falls asleep', (world, tab) => world.sleep(tab))

const wake = place.map((at) =>
  step(
    `tab ${at + 1}: wakes up`,
    (world) => world.wake(world.places[at]!),
    (world) => !!world.places[at]?.page.asleep && isAlone(world, at),
  ),
)

const reload = place.map((at) =>
  step(
    `tab ${at + 1}: is reloaded`,
    (world) => world.reload(world.places[at]!),
    (world) => !!world.places[at] && isAlone(world, at),
  ),
)

const reloadInRefresh = place.map((at) =>
  step(
    `tab ${at + 1}: is reloaded while its refresh is under way`,
    async (world) => {
      const tab = world.places[at]!
      if (!isRefreshing(world, tab)) {
        world.refresh(tab)
        await world.watch()
      }
      if (isRefreshing(world, tab)) world.reload(tab)
    },
    (world) =>
      !!world.places[at]?.awake &&
      isAlone(world, at) &&
      world.places[at].auth.status.value !== 'anonymous',
  ),
)

function isRefreshing(world: World, tab: Tab): boolean {
  return [...world.network.calls].some((call) => call.tab === tab && call.endpoint === 'refresh')
}

const isSignedIn = (_world: World, tab: Tab) => tab.auth.isAuthenticated.value

/** A refresh that a person asked for, and that fails. */
async function failToRefresh(world: World, tab: Tab): Promise<void> {
  world.network.plans.unshift({ endpoint: 'refresh', outcome: 'unreachable', there: 5, back: 5 })
  world.refresh(tab)
  await world.pass(20)
}

const dropOut = tabStep(
  'cannot refresh, comes online, and GETs with a token that is refused',
  async (world, tab) => {
    world.api.refuseAccessTokens()
    await failToRefresh(world, tab)
    world.online()
    if (tab.awake) world.request(tab, { method: 'GET', to: 'api', abortable: false })
  },
  isSignedIn,
)

const tryAgain = tabStep(
  'cannot refresh, and tries again',
  async (world, tab) => {
    await failToRefresh(world, tab)
    if (isSignedIn(world, tab)) world.refresh(tab)
  },
  isSignedIn,
)

const askBroken = tabStep(
  'asks the broken route three times',
  async (world, tab) => {
    for (const ms of [50, 2_000, 50]) {
      world.request(tab, { method: 'GET', to: 'broken route', abortable: false })
      await world.pass(ms)
    }
  },
  isSignedIn,
)

const askBetween = tabStep(
  'asks the broken route, one that a refresh helps, and the broken one again',
  async (world, tab) => {
    for (const to of ['broken route', 'api', 'broken route'] as const) {
      if (to === 'api') world.api.refuseAccessTokens()
      if (tab.awake) world.request(tab, { method: 'GET', to, abortable: false })
      await world.pass(50)
    }
  },
  isSignedIn,
)

const hearLate = tabStep(
  'hears late that its replay is refused, when there is another token, which dies',
  async (world, tab) => {
    const get = () => world.request(tab, { method: 'GET', to: 'api', abortable: false })
    const refusal = { endpoint: 'notes', outcome: 401, there: 5 } as const
    world.network.plans.unshift({ ...refusal, back: 5 }, { ...refusal, back: 300 })
    get()
    await world.pass(50)
    if (isSignedIn(world, tab)) world.refresh(tab)
    await world.pass(400)
    world.api.refuseAccessTokens()
    if (isSignedIn(world, tab)) get()
    await world.pass(50)
  },
  isSignedIn,
)

const loseRotation = tabStep(
  'loses the answer of a refresh that the API has done, and tries again',
  async (world, tab) => {
    world.network.plans.unshift({ endpoint: 'refresh', outcome: 'lost', there: 5, back: 5 })
    world.refresh(tab)
    await world.pass(20)
    if (isSignedIn(world, tab)) world.refresh(tab)
  },
  isSignedIn,
)

const loseSignIn = fc.constantFrom<Person>('ada', 'bob').chain((person) =>
  tabStep(
    `signs in as ${person}, and of the answer only the cookie arrives`,
    async (world, tab) => {
      world.network.plans.unshift({ endpoint: 'login', outcome: 'torn', there: 5, back: 5 })
      world.signIn(tab, person, 'right')
      await world.pass(20)
    },
    (world, tab) => world.setup.locks || !world.isBusyElsewhere(tab),
  ),
)

const mend = fc
  .boolean()
  .map((isBroken) =>
    step(
      `the broken route ${isBroken ? 'breaks again' : 'is repaired'}`,
      ({ network }) => void (network.isRouteBroken = isBroken),
    ),
  )

const online = fc.constant(step('the browser comes online', (world) => world.online()))

const close = place.map((at) =>
  step(
    `tab ${at + 1}: is closed`,
    (world) => world.close(at),
    (world) => !!world.places[at],
  ),
)

const open = place.map((at) =>
  step(
    `tab ${at + 1}: is opened`,
    (world) => world.open(at),
    (world) => !world.places[at] && isAlone(world, at),
  ),
)

const wipe = fc.constant(
  step(
    'another script clears the storage',
    (world) => world.wipe(),
    // Tabs that are in one session write its id back. They cannot know of an end that was wiped too.
    ({ tabs, rules }) =>
      tabs.every(({ awake, auth }) => awake && auth.isAuthenticated.value) &&
      tabs.every(({ auth }) => !rules.isOver(auth.sessions.current()!)) &&
      new Set(tabs.map(({ auth }) => auth.sessions.current()!.id)).size === 1,
  ),
)

/** Other senders, and other versions of the app, which know the session. */
const strangers = [
  { hello: 'world' },
  { type: 'granted' },
  null,
  'granted',
  42,
  { type: 'granted', id: '*', grant: { accessToken: 'another version' }, isStored: true },
  { type: 'failed', id: '*', failure: { until: 1e12 } },
  { type: 'ended', id: '*', reason: 'bored' },
]

const foreignMessage = fc.constantFrom(...strangers).map((message) =>
  step(`a stranger posts ${JSON.stringify(message)}`, ({ profile }) => {
    const id = profile.storage.get('silent-refresh.session') ?? ''
    profile.shout(JSON.parse(JSON.stringify(message).replace('*', id)))
  }),
)

const outcomes: Record<Endpoint, Outcome[]> = {
  refresh: [
    'honest',
    'unreachable',
    'lost',
    'torn',
    'silence',
    'nonsense',
    503,
    429,
    400,
    401,
    403,
  ],
  login: ['honest', 'unreachable', 'lost', 'torn', 'silence', 'nonsense', 503],
  logout: ['honest', 'unreachable', 'lost', 'silence', 503],
  notes: [401, 401, 401, 'honest', 'unreachable', 'lost', 500],
}

const sentences: Partial<Record<Outcome, string>> = {
  honest: 'takes its time',
  unreachable: 'does not reach the API',
  lost: 'is done by the API, but the answer gets lost',
  torn: 'is done by the API, but of the answer only the cookie arrives',
  silence: 'never gets an answer',
  nonsense: 'gets an answer that is not in the contract',
}

const delay = fc.constantFrom(5, 5, 20, 300, 3_000, 12_000)

const plan = fc
  .constantFrom<Endpoint>('refresh', 'refresh', 'login', 'logout', 'notes', 'notes')
  .chain((endpoint) =>
    fc.record<Plan>({
      endpoint: fc.constant(endpoint),
      outcome: fc.constantFrom(...outcomes[endpoint]),
      there: delay,
      back: delay,
      retryAfter: fc.constantFrom(3, 30),
    }),
  )
  .map(({ retryAfter, ...plan }) => {
    const { endpoint, outcome, there, back } = plan
    const limited = outcome === 429
    const what = sentences[outcome] ?? `is answered with ${outcome}`
    const wait = limited ? `, Retry-After ${retryAfter} s` : ''
    return step(
      `the next call to ${endpoint} ${what}${wait} (${there} ms there, ${back} ms back)`,
      ({ network }) => void network.plans.push(limited ? { ...plan, retryAfter } : plan),
    )
  })

const refuseAccess = fc.constant(
  step('the API refuses every access token issued so far', ({ api }) => api.refuseAccessTokens()),
)

const refuseRefresh = fc.constant(
  step('the API refuses every refresh token issued so far', ({ api }) => api.refuseRefreshTokens()),
)

const time = fc
  .constantFrom(1, 5, 10, 100, 1_000, 5_000, 10_000, 30_000, 48_000, 60_000)
  .map((ms) => step(`${ms} ms pass`, (world) => world.pass(ms)))

const any: [number, fc.Arbitrary<Step>][] = [
  [10, request],
  [2, abort],
  [3, signIn],
  [2, signOut],
  [2, refresh],
  [1, sleep],
  [1, wake],
  [1, reload],
  [2, reloadInRefresh],
  [1, close],
  [1, open],
  [8, plan],
  [3, refuseAccess],
  [1, refuseRefresh],
  [1, wipe],
  [1, online],
  [1, dropOut],
  [1, tryAgain],
  [1, askBroken],
  [1, askBetween],
  [1, hearLate],
  [1, mend],
  [1, loseRotation],
  [1, loseSignIn],
  [1, foreignMessage],
  [8, time],
]

/** Where a story begins. */
export const setups = fc
  .record<Setup>({
    tabs: fc.constantFrom(2, 1, 3),
    locks: fc.constantFrom(true, true, false),
    latency: fc.constantFrom(0, 3, 20),
    leeway: fc.constantFrom(true, true, false),
    signedIn: fc.constantFrom(true, true, true, false),
  })
  .map((setup) => ({ ...setup, [fc.toStringMethod]: () => describe(setup) }))

function describe({ tabs, locks, latency, leeway, signedIn }: Setup): string {
  const who = signedIn ? 'ada' : 'nobody'
  return `${tabs} tabs ${locks ? 'with' : 'without'} Web Locks, messages take ${latency} ms, ${leeway ? 'a' : 'no'} leeway, ${who} is signed in`
}

export const stories = fc.array(
  fc.oneof(...any.map(([weight, arbitrary]) => ({ weight, arbitrary }))),
  { maxLength: 20, size: 'max' },
)
