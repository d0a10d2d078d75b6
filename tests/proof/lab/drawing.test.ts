import { describe, expect, it } from 'vitest'
import { layout } from '@/lab/layout.ts'
import type { Part } from '@/lab/layout.ts'
import { legendOf } from '@/lab/legend.ts'
import { newRun } from '@/lab/record.ts'
import { packed, pitchOf } from '@/lab/rows.ts'
import { inThousands, niceCeil, ticksOf } from '@/lab/scale.ts'
import type { Lane, RefreshBar, Trace } from '@/lab/trace.ts'
import { reportOf, verdictOf } from '@/lab/verdict.ts'

function lane(number: number, fields: Partial<Lane> = {}): Lane {
  return {
    lane: number,
    at: 0,
    end: 400,
    segments: [
      { kind: 'rejected', from: 0, to: 60 },
      { kind: 'waiting', from: 60, to: 300 },
      { kind: 'replayed', from: 300, to: 400 },
    ],
    told: [],
    trips: 3,
    ok: true,
    answer: '200',
    ...fields,
  }
}

function bar(from: number, to: number, fields: Partial<RefreshBar> = {}): RefreshBar {
  return { from, to, answer: '200', granted: true, ...fields }
}

interface Fields {
  requests?: number
  refreshes?: RefreshBar[]
  client?: 'silent' | 'classic'
  others?: Trace['tabs']
  run?: Partial<Trace['run']>
  lanes?: Lane[]
}

function trace({ requests = 10, refreshes = [bar(60, 300)], others = [], ...fields }: Fields = {}) {
  const { client = 'silent' } = fields
  const plan = { requests, apiMs: 60, refreshMs: 200, scenario: 'refused', rivals: [] } as const
  const counts = { sent: 20, rejected: 10, asked: 1, refreshes: 1, replayed: 10 }
  const run = { ...newRun('r', client, plan, 'me'), endedAt: 0, counts, ...fields.run }
  const lanes = fields.lanes ?? Array.from({ length: requests }, (_, index) => lane(index + 1))
  const signedOutAt = run.signedOutAt
  const tabs = [{ tab: 'me', lanes }, ...others]
  return { run, tabs, refreshes, signedOutAt, end: 400 } as Trace
}

function part(fields: Partial<Part> = {}): Part {
  const { trace: drawn = trace() } = fields
  const { client = 'silent', requests = 10 } = fields
  return { client, requests, refreshes: 1, tabs: 1, ...fields, trace: drawn }
}

const draw = (parts: Part[], width = 660) => layout(parts, width, 400, 50)
const only = (fields: Partial<Part> = {}, width?: number) =>
  draw([part(fields)], width).sections[0]!

describe('the axis', () => {
  it.each([
    [1, 1],
    [2.3, 5],
    [3, 5],
    [6, 10],
    [21, 25],
    [120, 200],
    [1000, 1000],
  ])('rounds %d up to %d', (value, nice) => {
    expect(niceCeil(value)).toBe(nice)
  })

  it('has no more steps than there is room for, and none past the end', () => {
    expect(ticksOf(430, 5)).toEqual([0, 100, 200, 300, 400])
    expect(ticksOf(1000, 2)).toEqual([0, 500, 1000])
  })

  it('writes thousands for people', () => {
    expect(inThousands(12345.6)).toBe('12,346')
  })
})

describe('the drawing', () => {
  it('has a row for each request, with its number, round trips and time', () => {
    const [group] = only().groups

    expect(group!.lanes.map((drawn) => drawn.lane)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(group!.labels.map(({ text }) => text).at(-1)).toBe('10')
    expect(group!.lanes[0]!.row.words.map(({ text }) => text)).toEqual(['401', '3', '400'])
  })

  it('has bars in scale, side by side', () => {
    const [rejected, waiting, replayed] = only().groups[0]!.lanes[0]!.row.bars

    expect(rejected!.x).toBe(64)
    expect(rejected!.x + rejected!.width).toBeCloseTo(waiting!.x)
    expect(waiting!.x + waiting!.width).toBeCloseTo(replayed!.x)
    expect(waiting!.width / rejected!.width).toBeCloseTo(240 / 60)
    expect(replayed!.x + replayed!.width).toBeCloseTo(660 - 104)
  })

  it('takes a request that is under way for one that waits for a token only after a 401', () => {
    const open = { kind: 'open', from: 60, to: 90 } as const
    const kinds = (...segments: Lane['segments']) => {
      const drawn = only({ trace: trace({ lanes: [lane(1, { end: null, segments })] }) })
      return drawn.groups[0]!.lanes[0]!.row.bars.map(({ kind }) => kind)
    }

    expect(kinds({ kind: 'rejected', from: 0, to: 60 }, open)).toEqual(['rejected', 'waiting'])
    expect(kinds(open)).toEqual(['queued'])
    expect(kinds({ kind: 'lost', from: 0, to: 60 }, open)).toEqual(['lost', 'queued'])
  })

  it('tells waiting from the rest by its shape too', () => {
    const [rejected, waiting] = only().groups[0]!.lanes[0]!.row.bars

    expect(waiting!.height).toBeLessThan(rejected!.height / 3)
  })

  it('says that a request failed', () => {
    const failed = [lane(1, { ok: false, segments: [] })]
    const { words } = only({ trace: trace({ lanes: failed }) }).groups[0]!.lanes[0]!.row

    expect(words.map(({ text }) => text)).toEqual(['3', 'failed'])
  })

  it('marks when a caller was told of a failure', () => {
    const told = [lane(1, { told: [100] })]

    expect(only({ trace: trace({ lanes: told }) }).groups[0]!.lanes[0]!.row.marks).toHaveLength(1)
  })

  it('has room beforehand for all that will come: nothing moves when it does', () => {
    const before = draw([
      part({ trace: null }),
      part({ client: 'classic', trace: null, refreshes: 10 }),
    ])
    const ten = Array.from({ length: 10 }, () => bar(60, 300, { granted: false, answer: '401' }))
    const after = draw([
      part(),
      part({ client: 'classic', trace: trace({ client: 'classic', refreshes: ten }) }),
    ])

    expect(before.height).toBe(after.height)
    expect(before.sections.map(({ axisY }) => axisY)).toEqual(
      after.sections.map(({ axisY }) => axisY),
    )
    expect(before.sections[0]!.groups[0]!.labels).toHaveLength(10)
  })

  it('draws both clients side by side where there is room, with their lanes at one height', () => {
    const ten = Array.from({ length: 10 }, () => bar(60, 300, { granted: false, answer: '401' }))
    const other = part({ client: 'classic', trace: trace({ client: 'classic', refreshes: ten }) })
    const [silent, classic] = draw([part(), other], 1046).sections
    const firstLane = ({ groups }: typeof silent & object) => groups[0]!.lanes[0]!.row.bars[0]!.y

    expect(classic!.x).toBeGreaterThan(silent!.ticks.at(-1)!.x)
    expect(classic!.top).toBe(silent!.top)
    expect(firstLane(classic!)).toBe(firstLane(silent!))
    expect(silent!.refreshes[0]!.bars[0]!.y).toBeGreaterThan(classic!.refreshes[7]!.bars[0]!.y)
  })

  it('draws both clients in the same scale, one below the other', () => {
    const [silent, classic] = draw([part(), part({ client: 'classic' })]).sections

    expect(classic!.top).toBeGreaterThan(silent!.bottom)
    expect(classic!.ticks.map(({ x }) => x)).toEqual(silent!.ticks.map(({ x }) => x))
  })

  it('has a group of lanes for each tab, and one row of refreshes', () => {
    const others = [{ tab: 'other', lanes: [lane(1)] }]
    const { groups, refreshes } = only({ trace: trace({ others }), tabs: 2 })

    expect(groups.map(({ title }) => title?.text)).toEqual(['This tab', 'Other tab'])
    expect(refreshes).toHaveLength(1)
  })

  it('shows when the person was signed out', () => {
    const { end } = only({ trace: trace({ run: { signedOutAt: 100 } }) })

    expect(end).toMatchObject({ text: 'signed out', anchor: 'start' })
    expect(only().end).toBeNull()
  })

  it('says how long a refresh took where the words fit, with space around them', () => {
    const wordsOf = (...refreshes: RefreshBar[]) =>
      only({ trace: trace({ refreshes }) }).refreshes[0]!.words.map(({ text, anchor }) => [
        text,
        anchor,
      ])

    expect(wordsOf(bar(0, 100))).toEqual([['100 ms', 'start']])
    expect(wordsOf(bar(100, 399))).toEqual([['299 ms', 'start']])
    // 49 px between them, of which the words alone need 38.
    expect(wordsOf(bar(0, 100), bar(140, 250))).toEqual([['110 ms', 'start']])
    // 62 px: enough for the words of one.
    expect(wordsOf(bar(0, 100), bar(150, 250), bar(290, 300))).toEqual([
      ['100 ms', 'start'],
      ['10 ms', 'start'],
    ])
  })

  it('shows as one span what refreshes took that overlapped', () => {
    const refreshes = [bar(0, 100), bar(50, 150), bar(200, 400)]

    expect(only({ trace: trace({ refreshes }) }).bands).toHaveLength(2)
  })

  it('wraps its words where it is narrow', () => {
    const [wide, narrow] = [only({}, 660), only({}, 240)]

    expect(wide.verdict).toHaveLength(1)
    expect(narrow.verdict.length).toBeGreaterThan(1)
    expect(narrow.columns.map(({ text }) => text)).toEqual(['trips'])
  })
})

describe('many lanes', () => {
  it('thin out', () => {
    expect([10, 30, 200].map((count) => pitchOf(count))).toEqual([18, 16, 3])
  })

  it('have no text each, but every tenth its number', () => {
    const many = only({ requests: 200, trace: trace({ requests: 200 }) })

    expect(many.groups[0]!.lanes).toHaveLength(200)
    expect(many.groups[0]!.lanes.flatMap(({ row }) => row.words)).toEqual([])
    expect(many.groups[0]!.labels.map(({ text }) => text).slice(0, 3)).toEqual(['1', '10', '20'])
    expect(many.columns).toEqual([])
  })

  it('beyond 200 are summed up in words', () => {
    const lanes = Array.from({ length: 1000 }, (_, index) =>
      lane(index + 1, { end: index, ok: index !== 300 }),
    )
    const [group] = only({ requests: 1000, trace: trace({ requests: 1000, lanes }) }).groups

    expect(group!.lanes).toHaveLength(200)
    expect(group!.rest?.text).toBe('and 800 more, 799 of them answered, the last after 999 ms')
  })
})

describe('refreshes', () => {
  it('share a row where they follow one another', () => {
    const refreshes = [bar(0, 100), bar(200, 300), bar(250, 400)]

    expect(packed(refreshes, false).map((row) => row.length)).toEqual([2, 1])
    expect(packed(refreshes, true)).toHaveLength(3)
  })

  it('say how long they took, or why they failed', () => {
    const refreshes = [bar(0, 60, { granted: false, answer: '503' }), bar(200, 300)]
    const [row] = only({ trace: trace({ refreshes }) }).refreshes

    expect(row!.words.map(({ text }) => text)).toEqual(['503', '100 ms'])
    expect(row!.bars.map(({ kind }) => kind)).toEqual(['refused', 'granted'])
  })
})

describe('the legend', () => {
  it('takes as many rows as it needs', () => {
    const kinds = new Set(['sent', 'rejected', 'waiting', 'replayed', 'granted'] as const)
    expect(legendOf(320, kinds).height).toBeGreaterThan(legendOf(660, kinds).height)
    expect(legendOf(320, kinds).items.every(({ x, text }) => x + text.length * 6 < 320)).toBe(true)
  })

  it('has only what is drawn, and the room of what usually is', () => {
    const legend = (...kinds: ('sent' | 'told' | 'lost')[]) => legendOf(660, new Set(kinds))

    expect(legend().items).toEqual([])
    expect(legend('lost', 'told').items.map(({ kind }) => kind)).toEqual(['told', 'lost'])
    expect(legend().height).toBe(legend('sent').height)
  })

  it('says what trips are', () => {
    expect(legendOf(660, new Set()).note.text).toMatch(/^trips: /)
  })
})

describe('the verdict', () => {
  it('of a run that went well', () => {
    expect(verdictOf(trace())).toEqual([
      '10 of 10 answered · 1 refresh',
      'the last after 400 ms',
      'still signed in',
    ])
  })

  it('of a run that ended the session', () => {
    const ten = Array.from({ length: 10 }, () => bar(60, 300, { granted: false }))
    const lanes = [lane(1, { ok: false })]
    const counts = { sent: 20, rejected: 20, asked: 10, refreshes: 1, replayed: 10 }
    const run = { signedOutAt: 1, revoked: true, counts }

    expect(verdictOf(trace({ client: 'classic', refreshes: ten, lanes, run }))).toEqual([
      '0 of 1 answered · 10 refreshes',
      '1 granted',
      'session revoked, signed out',
    ])
  })

  it('of a run that is not over', () => {
    expect(verdictOf(trace({ run: { counts: null, endedAt: null } }))).toEqual(['Under way …'])
  })

  it('of a run that was given up', () => {
    expect(verdictOf(trace({ run: { counts: null } }))).toEqual(['Given up, and not counted'])
  })

  it('says it aloud', () => {
    const ended = (client: 'silent' | 'classic', ok: boolean) => {
      const call = { lane: 1, at: 0, end: 1, answer: '', ok, told: [], pauses: [] }
      const tabs = [{ tab: 'me', calls: [call], done: true }]
      return { ...trace({ client }).run, tabs, signedOutAt: ok ? null : 1 }
    }

    expect(reportOf([ended('silent', true), ended('classic', false)])).toBe(
      '1 of 1 requests succeeded. One refresh per 401: 0 of 1, and the user was signed out.',
    )
  })
})
