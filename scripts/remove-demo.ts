/**
 * Takes the demo off, and itself: the lab, the demo resources, their screens, mock routes, tests and
 * texts. What stands in scripts/start takes their place. In shared files the demo is marked:
 * a line by `demo` in a comment at its end, several lines by `demo:start` and `demo:end`.
 *
 *     npm run remove-demo
 */
import { execFileSync } from 'node:child_process'
import { cpSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import process from 'node:process'

const START = 'scripts/start'

/** Files and folders that are the demo's alone. */
const demo = [
  '.ci/remove-demo',
  'README.zh-CN.md',
  'docs/images',
  'docs/tutorial.md',
  'docs/tutorial.zh-CN.md',
  'mock-server/routes/admin.ts',
  'mock-server/routes/notifications.ts',
  'mock-server/routes/projects.ts',
  'mock-server/routes/stats.ts',
  'scripts',
  'src/api/admin.ts',
  'src/api/notifications.ts',
  'src/api/projects.ts',
  'src/api/stats.ts',
  'src/components/NewProjectForm.vue',
  'src/components/TokenLifelines.vue',
  'src/lab',
  'src/views/AdminView.vue',
  'src/views/LabView.vue',
  'tests/docs',
  'tests/e2e/accessibility.spec.ts',
  'tests/e2e/lab.spec.ts',
  'tests/e2e/refresh.spec.ts',
  'tests/e2e/screens.ts',
  'tests/e2e/screenshots.ts',
  'tests/e2e/tabs.spec.ts',
  'tests/e2e/window.ts',
  'tests/integration/server-demo.test.ts',
  'tests/proof',
  'tests/unit/lab',
  'tests/unit/views/LabView.test.ts',
  'tests/unit/views/demo.test.ts',
]

/** Scripts of package.json that work on the demo. */
const demoScripts = ['remove-demo', 'screenshots', 'test:proof']

// Only after something: a line that is `# demo` alone is a heading of somebody's own.
const MARKED_LINE = /^.*\S (?:\/\/|\/\*|#) demo(?: \*\/)?\n/gm
const MARKED_BLOCK = /^.*(?:\/\/|\/\*|<!--|#) demo:start\b[^]*?\bdemo:end\b.*\n/gm

const changes = git('status', '--porcelain')
if (changes !== '') {
  console.error('Commit your work first: only in git can you see what is taken out, and undo it.')
  process.exit(1)
}

const files = git('ls-files')!.split('\n').filter(Boolean)
const start = files.filter((file) => file.startsWith(`${START}/`))
const isDemo = (file: string) => demo.some((path) => file === path || file.startsWith(`${path}/`))

cpSync(START, '.', { recursive: true })
for (const path of demo) rmSync(path, { recursive: true, force: true })
const cut = files.filter((file) => !isDemo(file) && isFile(file)).filter(cutMarked)
cleanScripts()

console.log(`Taken out:  ${files.filter(isDemo).length} files
Put in:     ${start.map((file) => file.slice(START.length + 1)).join(', ')}
Shortened:  ${[...cut, 'package.json'].join(', ')}

See what is left with \`git status\`, check it with \`npm run check\`, then commit.`)

/** What git answers, or null: there is no git, or no repository. */
function git(...args: string[]) {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return null
  }
}

/** Neither taken out nor a link or a submodule. */
function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/** Says whether there was anything to cut. */
function cutMarked(file: string): boolean {
  const text = readFileSync(file, 'utf8')
  const rest = text.replace(MARKED_BLOCK, '').replace(MARKED_LINE, '')
  if (rest === text) return false
  writeFileSync(file, `${rest.replace(/\n{3,}/g, '\n\n').trimEnd()}\n`)
  return true
}

function cleanScripts(): void {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
  for (const name of demoScripts) delete manifest.scripts[name]
  writeFileSync('package.json', `${JSON.stringify(manifest, null, 2)}\n`)
}
