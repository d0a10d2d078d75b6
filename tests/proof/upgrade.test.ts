/** docs/upgrade.md: its commands, in small projects of their own. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'

const REPOSITORY = 'https://github.com/OWNER/REPOSITORY.git'
const [commands] = /(?<=^```sh\n)git fetch[^]*?(?=^```$)/m.exec(
  readFileSync('docs/upgrade.md', 'utf8'),
)!

type Files = Record<string, string>

function createRepository(name: string, root: string) {
  const folder = join(root, name)
  mkdirSync(folder)
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@localhost', ...args], {
      cwd: folder,
      stdio: 'pipe',
    })
  const commit = (files: Files) => {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), text)
    }
    git('add', '--all')
    git('commit', '-q', '-m', 'All')
  }
  git('init', '-q')
  return { folder, git, commit }
}

const V1: Files = {
  'src/App.vue': 'shell 1\n\n\n\nnotice\n',
  'src/auth/session.ts': 'session 1\n',
  'src/auth/old.ts': 'old\n',
  'src/views/ProjectsView.vue': 'projects 1\n',
  'src/views/HomeView.vue': 'home 1\n',
}
const V2: Files = {
  'src/App.vue': 'shell 2\n\n\n\nnotice\n',
  'src/auth/session.ts': 'session 2\n',
  'src/auth/new.ts': 'new\n',
  'src/views/ProjectsView.vue': 'projects 2\n',
  'src/views/HomeView.vue': 'home 2\n',
}

it('a newer start is merged into an app, whose own changes stay', () => {
  const root = mkdtempSync(join(tmpdir(), 'upgrade-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const template = createRepository('template', root)
  template.commit(V1)
  template.git('tag', 'start-v1.0.0')
  template.git('checkout', '-q', '--orphan', 'next') // As the workflow makes each start.
  template.git('rm', '-rfq', '.')
  template.commit(V2)
  template.git('tag', 'start-v2.0.0')

  const app = createRepository('app', root)
  app.commit(V1)
  app.git('rm', '-q', 'src/views/ProjectsView.vue')
  app.commit({
    'src/App.vue': V1['src/App.vue']!.replace('notice', 'own notice'),
    'src/views/HomeView.vue': 'own home\n',
    'src/views/InvoicesView.vue': 'invoices\n',
  })
  const script = commands.replaceAll(REPOSITORY, `file://${template.folder}`)
  const env = {
    ...process.env,
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@localhost',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@localhost',
    LC_ALL: 'C', // What git says, in English.
  }
  const { stdout } = spawnSync('bash', ['-c', script], { cwd: app.folder, env, encoding: 'utf8' })

  const read = (file: string) => readFileSync(join(app.folder, file), 'utf8')
  expect(read('src/App.vue')).toBe('shell 2\n\n\n\nown notice\n')
  expect(read('src/auth/session.ts')).toBe('session 2\n')
  expect(read('src/auth/new.ts')).toBe('new\n')
  expect(existsSync(join(app.folder, 'src/auth/old.ts'))).toBe(false)
  expect(read('src/views/InvoicesView.vue')).toBe('invoices\n')
  expect(stdout).toMatch(/both modified: +src\/views\/HomeView\.vue/)
  expect(stdout).toMatch(/deleted by us: +src\/views\/ProjectsView\.vue/)

  app.git('reset', '--hard', '-q')
  expect(String(app.git('status', '--porcelain'))).toBe('')
  expect(read('src/App.vue')).toMatch(/shell 1/)
})
