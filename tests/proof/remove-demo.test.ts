/** What `npm run remove-demo` touches, in small projects of its own: only what git tracks. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'

const pathOf = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url))
const SCRIPT = 'scripts/remove-demo.ts'
const NAME = 'scripts/name.ts'
const MARKED = 'const kept = 1\nconst demo = 2 // demo\n'
const CUT = 'const kept = 1\n'

/** A project on disk, tracked by git but for what `.gitignore` names. */
function createProject({ folder = '', ignored = '' } = {}) {
  const repository = mkdtempSync(join(tmpdir(), 'remove-demo-'))
  onTestFinished(() => rmSync(repository, { recursive: true }))
  const root = join(repository, folder)
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@localhost', ...args], {
      cwd: repository,
      stdio: 'pipe',
    })
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  const read = (file: string) => readFileSync(join(root, file), 'utf8')
  const has = (file: string) => existsSync(join(root, file))

  mkdirSync(join(root, 'scripts'), { recursive: true })
  for (const script of [SCRIPT, NAME]) copyFileSync(pathOf(script), join(root, script))
  write('package.json', '{ "type": "module", "scripts": { "remove-demo": "", "dev": "" } }')
  write('scripts/start/src/start.ts', 'started')
  write('src/lab/run.ts', 'demo')
  write('src/shared.ts', MARKED)
  git('init', '-q')
  writeFileSync(join(repository, '.gitignore'), ignored)
  const commit = () => {
    git('add', '--all')
    git('commit', '-q', '-m', 'All')
  }
  const jiti = pathOf('node_modules/jiti/lib/jiti-cli.mjs')
  const runScript = (script: string, ...options: string[]) =>
    spawnSync(process.execPath, [jiti, script, ...options], { cwd: root, encoding: 'utf8' })
  const run = (...options: string[]) => runScript(SCRIPT, ...options)
  return { commit, has, read, run, runScript, write }
}

it('takes the demo off', () => {
  const { commit, has, read, run } = createProject()
  commit()
  expect(run()).toMatchObject({ status: 0, stderr: '' })

  expect([has('src/lab'), has(SCRIPT), has('scripts/start')]).toEqual([false, false, false])
  expect(read('src/start.ts')).toBe('started')
  expect(read('src/shared.ts')).toBe(CUT)
  expect(JSON.parse(read('package.json')).scripts).toEqual({ dev: '' })
})

it('takes off the demo that runs without an installation', () => {
  const { commit, has, read, run, write } = createProject()
  const scripts = { 'build:demo': '', 'remove-demo': '', dev: '' }
  write('package.json', JSON.stringify({ type: 'module', scripts }))
  for (const file of ['demo/worker.ts', 'demo/vite.config.ts', '.ci/demo']) write(file, 'demo')
  commit()
  expect(run()).toMatchObject({ status: 0, stderr: '' })

  expect([has('demo'), has('.ci/demo')]).toEqual([false, false])
  expect(JSON.parse(read('package.json')).scripts).toEqual({ dev: '' })
})

it('cuts files with names that are not ASCII', () => {
  const { commit, has, read, run, write } = createProject()
  write('src/größe 大.ts', MARKED)
  write('src/lab/größe 大.ts', 'demo')
  commit()
  run()
  expect(read('src/größe 大.ts')).toBe(CUT)
  expect(has('src/lab')).toBe(false)
})

it('refuses to run in a folder that a parent repository ignores', () => {
  const { commit, has, read, run } = createProject({ folder: 'app', ignored: 'app' })
  commit()
  expect(run()).toMatchObject({ status: 1, stderr: expect.stringMatching(/^Put this project/) })
  expect(has('src/lab/run.ts')).toBe(true)
  expect(read('src/shared.ts')).toBe(MARKED)
})

it('refuses to run before all is committed', () => {
  const { commit, has, run, write } = createProject()
  commit()
  write('unsaved', '')
  expect(run()).toMatchObject({ status: 1, stderr: expect.stringMatching(/^Commit your work/) })
  expect(has('src/lab/run.ts')).toBe(true)
})

it('leaves ignored files where they are, and says so', () => {
  const { commit, has, read, run, write } = createProject({ ignored: 'private*' })
  write('src/lab/private.ts', 'mine')
  write('scripts/start/private.ts', 'mine')
  commit()
  const { status, stdout } = run()

  expect(status).toBe(0)
  expect(stdout).toContain('Left:       scripts/start, src/lab, with files that git does not track')
  expect(read('src/lab/private.ts')).toBe('mine')
  expect([has('src/lab/run.ts'), has('private.ts')]).toEqual([false, false])
})

it('does not overwrite an ignored file', () => {
  const { commit, has, read, run, write } = createProject({ ignored: '/src/start.ts' })
  write('src/start.ts', 'mine')
  commit()
  expect(run()).toMatchObject({ status: 1, stderr: expect.stringContaining('src/start.ts') })
  expect(read('src/start.ts')).toBe('mine')
  expect(has('src/lab/run.ts')).toBe(true)
})

it('keeps the proof of src/auth when it is asked to', () => {
  const project = createProject()
  project.write('tests/proof/auth/client.test.ts', '')
  project.write('tests/proof/lab/run.test.ts', '')
  project.commit()
  expect(project.run('--keep-proof').status).toBe(0)
  expect(project.has('tests/proof/auth/client.test.ts')).toBe(true)
  expect(project.has('tests/proof/lab')).toBe(false)
})

describe('The name', () => {
  /** With the template's name in all its forms. */
  function createNamed() {
    const project = createProject()
    project.write(
      'index.html',
      '<meta name="description" content="A starter" /><title>Vue Silent Refresh</title>',
    )
    project.write(
      'README.md',
      '# Vue Silent Refresh\n\n- **Name.** `npm run name -- Acme`\n- Pages.\n',
    )
    project.write(
      'package.json',
      '{ "name": "vue-silent-refresh", "description": "A starter", "scripts": { "name": "", "dev": "" } }',
    )
    project.commit()
    return project
  }

  it('is put wherever the template’s name was', () => {
    const { has, read, run } = createNamed()
    expect(run('--name', 'Café & Co. 2')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no quotes'),
    })
    expect(has(SCRIPT)).toBe(true)

    expect(run('--name', 'Café Nº 2')).toMatchObject({ status: 0, stderr: '' })
    expect(read('index.html')).toBe(
      '<meta name="description" content="Café Nº 2" /><title>Café Nº 2</title>',
    )
    expect(read('README.md')).toBe('# Café Nº 2\n\n- Pages.\n')
    expect(JSON.parse(read('package.json'))).toEqual({ name: 'cafe-no-2', scripts: { dev: '' } })
    expect(has('scripts')).toBe(false)
  })

  it('can be given later', () => {
    const { has, read, run, runScript } = createNamed()
    run()
    expect(read('README.md')).toContain('Vue Silent Refresh')

    expect(runScript(NAME)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^Say the name/),
    })
    expect(runScript(NAME, 'Acme')).toMatchObject({ status: 0, stderr: '' })
    expect(read('README.md')).toBe('# Acme\n\n- Pages.\n')
    expect(has(NAME)).toBe(false)
  })
})

it('documents link to what they name and the start does not have', () => {
  const project = createProject()
  project.write('docs/rules.md', 'See `src/lab/run.ts` and `src/shared.ts`.\n')
  project.commit()
  project.run()
  expect(project.read('docs/rules.md')).toMatch(
    /^See \[`src\/lab\/run.ts`\]\(https:.*\/src\/lab\/run.ts\) and `src\/shared.ts`.$/m,
  )
})
