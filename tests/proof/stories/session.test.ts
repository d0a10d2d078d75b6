/**
 * Random stories of people, tabs, clocks and failures, told to the real store and the real API
 * client. After every step all rules of docs/rules.md must hold. A failure is shrunk to a short story.
 *
 * `npm test` tells the same `RUNS` (500) stories each time, so that it fails for a change alone;
 * `npm run test:soak` tells new ones, for `SOAK_SECONDS` (600), and says what happened in how many. `FC_SEED` and `FC_PATH` tell a story
 * again, by the values that its failure was reported with.
 */
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { setups, stories } from './commands.ts'
import { HAPPENINGS } from './rules.ts'
import { World } from './world.ts'

const { RUNS = '500', SOAK_SECONDS = '600', FC_SEED, FC_PATH } = process.env
const soak = import.meta.env.MODE === 'soak' ? Number(SOAK_SECONDS) * 1000 : 0
/** Several tests, so that each is short. A soak, or one story, is a single one. */
const seeds = FC_SEED ? [Number(FC_SEED)] : soak ? [Date.now() % 2 ** 31] : [1, 2, 3, 4, 5]

it.each(seeds)(
  'every rule holds in every story (seed %s)',
  async (seed) => {
    /** In how many stories it happened. */
    const seen = new Map<string, number>()
    let told = 0
    const property = fc.asyncProperty(setups, stories, async (setup, steps) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 0 })
      const world = new World(setup)
      try {
        await world.begin()
        for (const { possible, happen } of steps) {
          if (!possible(world)) continue
          await happen(world)
          await world.watch()
          world.rules.check()
        }
        await world.end()
        world.rules.check()
      } finally {
        told += 1
        world.rules.seen.forEach((what) => seen.set(what, (seen.get(what) ?? 0) + 1))
        vi.useRealTimers()
      }
    })

    await fc.assert(property, {
      numRuns: soak ? Number.MAX_SAFE_INTEGER : Math.ceil(Number(RUNS) / seeds.length),
      interruptAfterTimeLimit: soak || undefined,
      seed,
      path: FC_PATH,
    })
    if (soak) console.info(`${told} stories of seed ${seed}:`, Object.fromEntries(seen))
    // A story that is told again is about one thing only.
    const missing = HAPPENINGS.filter((what) => !FC_PATH && !seen.has(what))
    expect(missing).toEqual([])
  },
  soak + 120_000 + Number(RUNS) * 30, // The machine may be busy.
)
