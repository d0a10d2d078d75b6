/**
 * Takes the demo off, and itself: the lab, the demo resources, their screens, mock routes, tests and
 * texts. What stands in scripts/start takes their place. In shared files the demo is marked:
 * a line by `demo` in a comment at its end, several lines by `demo:start` and `demo:end`.
 *
 *     npm run remove-demo                   # asks for the name of your app
 *     npm run remove-demo -- --name Acme
 *     npm run remove-demo -- --keep-proof   # keeps the tests that prove src/auth
 *
 * It changes and deletes only what git tracks, so that git can bring everything back.
 */
import { execFileSync } from 'node:child_process'
import type { StdioOptions } from 'node:child_process'
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { format, nameApp, nameProblem, run } from './name.ts'

const SCRIPT = 'scripts/remove-demo.ts'
const START = 'scripts/start'

/** Where the files are that documents of the start name. CI writes the repository's name here. */
const TEMPLATE = 'https://github.com/OWNER/REPOSITORY/blob/main'

const { values: options } = parseArgs({
  options: { name: { type: 'string' }, 'keep-proof': { type: 'boolean', default: false } },
})
const keepsProof = options['keep-proof']

/** Files and folders that are the demo's alone, or prove the template. */
const demo = [
  '.ci/backends',
  '.ci/browsers',
  '.ci/demo',
  '.ci/existing-app',
  '.ci/kits',
  '.ci/remove-demo',
  '.github/workflows/template.yml',
  'CONTRIBUTING.md',
  'README.zh-CN.md',
  'demo',
  'docs/browsers.md',
  'docs/existing-app.md',
  'docs/images',
  'docs/performance.md',
  'docs/scale.md',
  'docs/tutorial.md',
  'docs/tutorial.zh-CN.md',
  'mock-server/routes/notifications.ts',
  'mock-server/routes/stats.ts',
  'scripts/api-reference.ts',
  SCRIPT,
  START,
  'src/api/notifications.ts',
  'src/api/stats.ts',
  'src/assets/demo.css',
  'src/components/ComparisonPicture.vue',
  'src/components/MonthBars.vue',
  'src/components/comparison.json',
  'src/lab',
  'src/views/LabView.vue',
  'tests/e2e/accessibility.spec.ts',
  'tests/e2e/build.spec.ts',
  'tests/e2e/cookies.spec.ts',
  'tests/e2e/dev.spec.ts',
  'tests/e2e/firefox.mjs',
  'tests/e2e/lab.ts',
  'tests/e2e/lab.spec.ts',
  'tests/e2e/load.spec.ts',
  'tests/e2e/network.spec.ts',
  'tests/e2e/origins.spec.ts',
  'tests/e2e/projects.spec.ts',
  'tests/e2e/recipes.spec.ts',
  'tests/e2e/refresh.spec.ts',
  'tests/e2e/scenarios.ts',
  'tests/e2e/screens.ts',
  'tests/e2e/screenshots.ts',
  'tests/e2e/tabs.spec.ts',
  'tests/e2e/waits.ts',
  'tests/e2e/window.ts',
  'tests/e2e/work.spec.ts',
  ...(keepsProof ? proofOfTheDemo() : ['tests/proof']),
]

/** Scripts of package.json that work on the demo. */
const demoScripts = [
  'bench',
  'bench:browser',
  'bench:fleet',
  'bench:load',
  'bench:server',
  'build:demo',
  'docs:api',
  'remove-demo',
  'screenshots',
  'size',
  'test:e2e:firefox',
  'test:e2e:webkit',
  ...(keepsProof ? [] : ['test:mutants', 'test:proof', 'test:soak']),
]

/** Packages that only the demo needs. */
const demoPackages = [
  '@pinia/testing',
  'axios',
  'axios-auth-refresh',
  'eventsource-parser',
  'ky',
  'oauth4webapi',
  'openapi-fetch',
  'typedoc',
  'typedoc-plugin-markdown',
  ...(keepsProof ? [] : ['fast-check']),
]

// Only after something: a line that is `# demo` alone is a heading of somebody's own.
const MARKED_LINE = /^.*\S (?:\/\/|\/\*|#) demo(?: \*\/)?\n/gm
const MARKED_BLOCK = /^.*(?:\/\/|\/\*|<!--|#) demo:start\b[^]*?\bdemo:end\b.*\n/gm

const files = (git('ls-files', '-z') ?? '').split('\0').filter(Boolean)
if (!files.includes(SCRIPT)) fail('Put this project under git first, and commit it.')
if (git('status', '--porcelain') !== '') fail('Commit your work first.')

const name = options.name ?? (process.stdin.isTTY ? await askForName() : '')
const problem = name && nameProblem(name)
if (problem) {
  console.error(problem)
  process.exit(1)
}

const start = files.filter((file) => file.startsWith(`${START}/`))
const targets = start.map((file) => file.slice(START.length + 1))
for (const target of targets) {
  if (exists(target) && !files.includes(target)) fail(`Git does not track ${target}: move it away.`)
}

for (const [index, target] of targets.entries()) {
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(start[index]!, target)
}
const isDemo = (file: string) => demo.some((path) => file === path || file.startsWith(`${path}/`))
const removed = files.filter(isDemo)
for (const file of removed.filter(isFile)) rmSync(file)
const left = demo.filter((path) => !clear(path))
const cut = files.filter((file) => !isDemo(file) && isFile(file)).filter(cutMarked)
cleanScripts()
uninstall()
const linked = linkToTemplate()
const named = name ? nameApp(name) : []
format([...linked, ...named])

console.log(`Taken out:  ${removed.length} files
Put in:     ${targets.join(', ')}
Shortened:  ${[...cut, 'package.json'].join(', ')}`)
console.log(
  name ? `Named:      ${named.join(', ')}` : 'Named:      later, by `npm run name -- Acme`',
)
if (left.length > 0)
  console.log(`Left:       ${left.join(', ')}, with files that git does not track`)
console.log(`
See what is left with \`git status\`, check it with \`npm run check\`, then commit.`)

function fail(advice: string): never {
  console.error(`${advice} Only in git can you see what is taken out, and undo it.`)
  process.exit(1)
}

/** What git answers, or null: there is no git, or no repository. */
function git(...args: string[]) {
  try {
    const stdio: StdioOptions = ['ignore', 'pipe', 'ignore']
    return execFileSync('git', args, { encoding: 'utf8', stdio, maxBuffer: Infinity })
  } catch {
    return null
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Neither taken out nor a link or a submodule. */
function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/** Takes away a folder in which there is nothing but empty folders. Says whether it is gone. */
function clear(path: string): boolean {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return !exists(path)
  const rest = readdirSync(path).filter((name) => !clear(`${path}/${name}`))
  if (rest.length > 0) return false
  rmdirSync(path)
  return true
}

/** Empty if it is for later. */
async function askForName(): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await terminal.question('The name of your app (Enter: later): ')
  terminal.close()
  return answer.trim()
}

/** Documents name tests and examples that are gone: makes links to the template of them. */
function linkToTemplate(): string[] {
  return files
    .filter((file) => file.endsWith('.md') && isFile(file))
    .filter((file) => {
      const text = readFileSync(file, 'utf8')
      const linked = text.replace(/`((?:\.ci|docs|scripts|src|tests)\/[\w./-]+)`/g, (code, path) =>
        exists(path) ? code : `[${code}](${TEMPLATE}/${path})`,
      )
      if (linked !== text) writeFileSync(file, linked)
      return linked !== text
    })
}

/** Says whether there was anything to cut. */
function cutMarked(file: string): boolean {
  const text = readFileSync(file, 'utf8')
  const rest = text.replace(MARKED_BLOCK, '').replace(MARKED_LINE, '')
  if (rest === text) return false
  writeFileSync(file, `${rest.replace(/\n{3,}/g, '\n\n').trimEnd()}\n`)
  return true
}

/** All of tests/proof but the tests of src/auth. */
function proofOfTheDemo(): string[] {
  const kept = ['auth', 'mutants', 'stories']
  return readdirSync('tests/proof')
    .filter((name) => !kept.includes(name))
    .map((name) => `tests/proof/${name}`)
}

function uninstall(): void {
  const { devDependencies = {} } = JSON.parse(readFileSync('package.json', 'utf8'))
  const installed = demoPackages.filter((name) => name in devDependencies)
  if (installed.length === 0) return
  run('npm', 'uninstall', '--save-dev', '--no-audit', '--no-fund', '--loglevel=error', ...installed)
}

function cleanScripts(): void {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
  for (const name of demoScripts) delete manifest.scripts[name]
  if (manifest.scripts['test:e2e'])
    manifest.scripts['test:e2e'] = 'playwright test --project=preview'
  writeFileSync('package.json', `${JSON.stringify(manifest, null, 2)}\n`)
}
