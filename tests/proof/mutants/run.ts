/**
 * Which deliberate bugs of src/auth the tests notice: `npm run test:mutants`. Each bug of bugs.ts is put
 * in place as the file is loaded, alone; nothing is written. First run the tests that a lean start keeps,
 * then those of tests/proof, each time that of the file's own name first, until one fails.
 * `npm run test:mutants -- session` takes the bugs whose file or id says so. Exits 1 if one is unnoticed.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { createVitest } from 'vitest/node'
import type { TestSpecification } from 'vitest/node'
import { bugs } from './bugs.ts'
import type { Bug } from './bugs.ts'

const TESTS = { unit: 'tests/unit/auth/', proof: 'tests/proof/auth/' }
/** The client as the app sets it up. */
const CLIENT_TEST = 'tests/unit/api/client.test.ts'
/** They have no part in the session, and no other test has a part in them. */
const GUARD = ['guard.ts', 'locations.ts', 'prepare.ts']
const AT_ONCE = 2

const root = process.cwd()
const pathOf = (file: string) => join(root, 'src/auth', file)

interface Task {
  file: string
  bug: Bug
  noticedBy?: 'unit' | 'proof' | null
}

/** Runs tests with one bug at a time. */
async function createRunner() {
  let current: Task | null = null
  const plugin = {
    name: 'deliberate-bug',
    enforce: 'pre' as const,
    transform(code: string, id: string) {
      if (!current || id.split('?')[0] !== pathOf(current.file)) return
      const { from, to = '' } = current.bug
      return { code: code.replace(from, () => to), map: null }
    },
  }
  const include = Object.values(TESTS).map((folder) => `${folder}**/*.test.ts`)
  include.push(CLIENT_TEST)
  const vitest = await createVitest(
    'test',
    {
      root,
      mode: 'proof',
      watch: false,
      bail: 1,
      maxWorkers: 1,
      reporters: [{}],
      testTimeout: 10_000,
      include,
    },
    { plugins: [plugin] },
  )
  const all = await vitest.globTestSpecifications()

  /** The tests of a folder that may notice a bug in `file`. */
  function testsFor(file: string, folder: string): TestSpecification[][] {
    const own = GUARD.includes(file) ? 'guard' : file.replace('.ts', '')
    const isThere = ({ moduleId }: TestSpecification) =>
      moduleId.includes(folder) || (folder === TESTS.unit && moduleId.endsWith(CLIENT_TEST))
    const there = all.filter(isThere)
    const isGuard = ({ moduleId }: TestSpecification) => moduleId.endsWith('/guard.test.ts')
    const isOwn = ({ moduleId }: TestSpecification) => moduleId.endsWith(`${folder}${own}.test.ts`)
    const others = GUARD.includes(file) ? [] : there.filter((one) => !isGuard(one) && !isOwn(one))
    return [there.filter(isOwn), others]
  }

  async function isNoticed(specifications: TestSpecification[]): Promise<boolean> {
    if (specifications.length === 0) return false
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications)
    // Vitest names the modules of earlier runs as well.
    const ids = new Set(specifications.map(({ moduleId }) => moduleId))
    const isFailed = testModules.some((module) => ids.has(module.moduleId) && !module.ok())
    return isFailed || unhandledErrors.length > 0
  }

  return {
    isGreen: async () => !(await isNoticed(all)),
    close: () => vitest.close(),
    async judge(task: Task): Promise<void> {
      current = task
      vitest.invalidateFile(pathOf(task.file))
      task.noticedBy = null
      for (const [name, folder] of Object.entries(TESTS) as ['unit' | 'proof', string][]) {
        for (const tests of testsFor(task.file, folder)) {
          if (task.noticedBy === null && (await isNoticed(tests))) task.noticedBy = name
        }
      }
      current = null
      vitest.invalidateFile(pathOf(task.file))
    },
  }
}

const only = process.argv[2]
const tasks: Task[] = Object.entries(bugs)
  .flatMap(([file, list]) => list.map((bug) => ({ file, bug })))
  .filter(({ file, bug }) => !only || file.includes(only) || bug.id.includes(only))

const lost = tasks.filter(({ file, bug: { from } }) => {
  return readFileSync(pathOf(file), 'utf8').split(from).length !== 2
})
for (const { file, bug } of lost) console.error(`Not there once: ${file}: ${bug.id}`)
if (lost.length > 0) process.exit(1)

const start = Date.now()
const runners = await Promise.all(Array.from({ length: AT_ONCE }, createRunner))
if (!only && !(await runners[0]!.isGreen())) throw new Error('The tests fail without any bug.')
const queue = [...tasks]
await Promise.all(
  runners.map(async (runner) => {
    for (let task = queue.shift(); task; task = queue.shift()) {
      await runner.judge(task)
      const { file, bug, noticedBy } = task
      if (!noticedBy) console.log(`Survives: ${file}: ${bug.id} (${bug.breaks})`)
    }
  }),
)
await Promise.all(runners.map((runner) => runner.close()))

const table = Object.keys(bugs).map((file) => {
  const those = tasks.filter((task) => task.file === file)
  const by = (name: Task['noticedBy']) => those.filter((task) => task.noticedBy === name).length
  return {
    file,
    bugs: those.length,
    unit: by('unit'),
    'only proof': by('proof'),
    survive: by(null),
  }
})
console.table(table.filter((row) => row.bugs > 0))
const survivors = tasks.filter(({ noticedBy }) => !noticedBy).length
const minutes = ((Date.now() - start) / 60_000).toFixed(1)
console.log(`${tasks.length - survivors} of ${tasks.length} noticed, in ${minutes} minutes.`)
process.exit(survivors > 0 ? 1 : 0)
