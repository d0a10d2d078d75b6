/**
 * Keeps the mock's sessions in a file, so that a restart signs nobody out (S9).
 */
import { createHash, randomUUID } from 'node:crypto'
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import type { MockStorage } from './state.ts'

// Windows has no such flag.
const { O_RDONLY, O_NOFOLLOW = 0 } = constants

/**
 * Where `name` keeps its sessions for the project in `root`. It holds the secrets of the tokens, so it
 * is outside the project: Vite's dev server answers requests for any file in there.
 */
export function cacheFile(root: string, name: string): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const project = createHash('sha256').update(resolve(root)).digest('hex').slice(0, 16)
  return join(cache, 'vue-silent-refresh', project, `${name}.json`)
}

/** A file that cannot be read or written counts as none: sessions then end with the process. */
export function createFileStorage(file: string): MockStorage {
  return {
    load() {
      try {
        return JSON.parse(read(file))
      } catch {
        return null
      }
    },
    save(state) {
      const draft = `${file}.${randomUUID()}`
      try {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
        // `wx` neither follows a link nor takes a file that is there, with whatever mode it has.
        writeFileSync(draft, JSON.stringify(state), { mode: 0o600, flag: 'wx' })
        renameSync(draft, file) // Renamed, it is never seen half written.
      } catch {
        rmSync(draft, { force: true }) // Nothing is lost yet.
      }
    },
  }
}

function read(file: string): string {
  const descriptor = openSync(file, O_RDONLY | O_NOFOLLOW)
  try {
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}
