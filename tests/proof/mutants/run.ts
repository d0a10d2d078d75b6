/**
 * Which deliberate bugs of the core the tests notice: `npm run test:mutants`. Each bug of bugs.ts is put
 * into a copy of the project, alone. First come the tests that a lean start keeps, then those of
 * tests/proof/auth. `npm run test:mutants -- session.ts` takes the bugs of one file.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createVitest } from 'vitest/node'
import type { TestSpecification } from 'vitest/node'
import { bugs } from './bugs.ts'

/** In the order in which they are run, until one notices. */
const KEPT = [/^tests\/unit\/auth\//, /^tests\/unit\/api\//, /^tests\/integration\/refresh/]
const PROOF = [/^tests\/proof\/auth\//]

const project = process.cwd()
const copy = mkdtempSync(join(tmpdir(), 'mutants-'))
for (const name of ['src', 'tests', 'mock-server', 'package.json', 'vite.config.ts']) {
  cpSync(join(project, name), join(copy, name), { recursive: true })
}
for (const name of [
  'headers.config.ts',
  'tsconfig.json',
  'tsconfig.app.json',
  'tsconfig.node.json',
]) {
  cpSync(join(project, name), join(copy, name))
}
symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'))
process.chdir(copy)

const vitest = await createVitest('test', {
  root: copy,
  watch: false,
  reporters: [{}],
  bail: 1,
  maxWorkers: 1,
  testTimeout: 10_000,
  include: ['tests/unit/**/*.test.ts', 'tests/integration/*.test.ts', 'tests/proof/auth/*.test.ts'],
})
const all = await vitest.globTestSpecifications()
const matching = (pattern: RegExp) =>
  all.filter(({ moduleId }) => pattern.test(moduleId.slice(copy.length + 1)))

async function isNoticed(specifications: TestSpecification[]): Promise<boolean> {
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications)
  // Vitest names the modules of earlier runs as well.
  const ids = new Set(specifications.map(({ moduleId }) => moduleId))
  const isFailed = testModules.some((module) => ids.has(module.moduleId) && !module.ok())
  return isFailed || unhandledErrors.length > 0
}

async function isNoticedBy(patterns: RegExp[]): Promise<boolean> {
  for (const pattern of patterns) if (await isNoticed(matching(pattern))) return true
  return false
}

/** Puts a bug into a file while `task` runs. */
async function withBug<T>(
  path: string,
  [, from, to]: (typeof bugs)[number],
  task: () => Promise<T>,
) {
  const source = readFileSync(path, 'utf8')
  if (source.split(from).length !== 2) throw new Error(`Not found once in ${path}: ${from}`)
  writeFileSync(
    path,
    source.replace(from, () => to),
  )
  vitest.invalidateFile(path)
  try {
    return await task()
  } finally {
    writeFileSync(path, source)
    vitest.invalidateFile(path)
  }
}

const only = process.argv[2]
const rows = new Map<string, { bugs: number; kept: number; proof: number }>()
try {
  if (await isNoticedBy([...KEPT, ...PROOF])) throw new Error('The tests fail without any bug.')
  for (const bug of bugs.filter(([file]) => !only || file === only)) {
    const [file, from] = bug
    const by = await withBug(join(copy, 'src/auth', file), bug, async () => {
      if (await isNoticedBy(KEPT)) return 'kept'
      return (await isNoticedBy(PROOF)) ? 'proof' : null
    })
    const row = rows.get(file) ?? { bugs: 0, kept: 0, proof: 0 }
    row.bugs += 1
    if (by) row[by] += 1
    rows.set(file, row)
    if (by !== 'kept') console.log(`${by ? 'Only by proof' : 'Survives'}: ${file}: ${from.trim()}`)
  }
} finally {
  await vitest.close()
  rmSync(copy, { recursive: true })
}
console.table(Object.fromEntries(rows))
process.exit()
