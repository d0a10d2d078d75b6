/**
 * Keeps the mock's sessions in a file, so that a restart signs nobody out (S9).
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { MockStorage } from './state.ts'

/** Where `name` keeps its sessions: out of version control, and gone with node_modules. */
export function cacheFile(root: string, name: string): string {
  return join(root, 'node_modules/.cache/mock-server', `${name}.json`)
}

/** A file that cannot be read or written counts as none: sessions then end with the process. */
export function createFileStorage(file: string): MockStorage {
  return {
    load() {
      try {
        return JSON.parse(readFileSync(file, 'utf8'))
      } catch {
        return null
      }
    },
    save(state) {
      try {
        mkdirSync(dirname(file), { recursive: true })
        // It holds the secrets: for its owner only. Renamed, it is never seen half written.
        writeFileSync(`${file}.tmp`, JSON.stringify(state), { mode: 0o600 })
        renameSync(`${file}.tmp`, file)
      } catch {
        // Nothing is lost yet.
      }
    },
  }
}
