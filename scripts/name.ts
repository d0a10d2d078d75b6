/**
 * Gives the app its name, wherever the template's name is, and takes itself away.
 *
 *     npm run name -- Acme
 */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { basename } from 'node:path'
import process from 'node:process'

const SELF = 'scripts/name.ts'
const TEMPLATE = { name: 'Vue Silent Refresh', slug: 'vue-silent-refresh' }

/** In index.html: what the template is. */
const DESCRIPTION = /(<meta\s+name="description"\s+content=")[^"]*/

/** In README.md: how to give the name. */
const ADVICE = /^- \*\*Name\.\*\* .*\n/m

/** Says why `name` cannot stand between quotes, in HTML and in code; else undefined. */
export function nameProblem(name: string): string | undefined {
  if (/['"`<>&\\$\p{Cc}]/u.test(name)) return 'A name has no quotes and none of < > & \\ $'
  if (!/[\p{L}\p{N}]/u.test(name)) return 'Say the name: npm run name -- Acme'
}

/** Returns the files in which the name of the template stood. */
export function nameApp(name: string): string[] {
  const slug = slugOf(name)
  const changed = ownFiles().filter((file) => {
    const text = readFileSync(file, 'utf8')
    const named = text
      .replaceAll(TEMPLATE.name, name)
      .replaceAll(TEMPLATE.slug, slug)
      .replace(DESCRIPTION, (_, start) => start + name)
      .replace(ADVICE, '')
    if (named !== text) writeFileSync(file, named)
    return named !== text
  })
  rmSync(SELF, { force: true })
  if (existsSync('scripts') && readdirSync('scripts').length === 0) rmdirSync('scripts')
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
  delete manifest.scripts.name
  delete manifest.description
  writeFileSync('package.json', `${JSON.stringify(manifest, null, 2)}\n`)
  return changed
}

/** As a package is called: `Café Nº 2` is `cafe-no-2`. */
function slugOf(name: string): string {
  const ascii = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  return ascii.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'app'
}

/** All but what git ignores. */
function ownFiles(): string[] {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const files = execFileSync('git', list, { encoding: 'utf8' }).split('\0')
  const isText = (file: string) => !/\.(png|ico|woff2?|jpe?g|webp)$/.test(file)
  return files.filter((file) => {
    const isFile = file && lstatSync(file, { throwIfNoEntry: false })?.isFile()
    return isFile && file !== SELF && isText(file)
  })
}

/** Lines are shorter or longer by now. */
export function format(files: string[]): void {
  const known = files.filter((file) => existsSync(file))
  if (!existsSync('node_modules/prettier') || known.length === 0) return
  run('npx', 'prettier', '--write', '--ignore-unknown', ...known)
}

export function run(command: string, ...options: string[]): void {
  execFileSync(command, options, {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32', // There npm is a script.
  })
}

if (basename(process.argv[1] ?? '') === basename(SELF)) {
  const name = process.argv.slice(2).join(' ').trim()
  const problem = nameProblem(name)
  if (problem) {
    console.error(problem)
    process.exit(1)
  }
  const named = nameApp(name)
  format(named)
  console.log(`Named ${name}: ${named.join(', ')}`)
}
