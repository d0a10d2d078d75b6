/**
 * What outlives the worker: the state of the mock, and the cookies that the browser does not keep for
 * it. Unlike real HttpOnly cookies, a script of the page can read them here.
 */
import type { Project } from '../mock-server/routes/projects.ts'
import type { MockStorage, State } from '../mock-server/state.ts'

interface Cookie {
  value: string
  path: string
  /** Milliseconds since the epoch; null: no end. */
  expiresAt: number | null
}

interface Content {
  state?: State
  projects?: [string, Project[]][]
  cookies: Record<string, Cookie>
}

const KEY = 'state.json'

/** `scope`: of the worker. Other demos of the same origin have their own. */
export async function openStorage(scope: string) {
  const cache = await caches.open(`mock-server ${scope}`)
  const stored: Content | undefined = await (await cache.match(KEY))?.json().catch(() => undefined)
  const content = stored ?? { cookies: {} }
  let writing: Promise<unknown> = Promise.resolve()
  const write = () => {
    const copy = Response.json(content)
    writing = writing.then(() => cache.put(KEY, copy)).catch(() => {})
  }

  const storage: MockStorage = {
    load: () => content.state,
    save(state) {
      content.state = state
      write()
    },
  }
  const jar = {
    /** From the headers `Set-Cookie` of an answer. */
    take(headers: string[]): void {
      for (const header of headers) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(header) ?? []
        const path = /; *path=([^;]*)/i.exec(header)?.[1] ?? '/'
        const maxAge = /; *max-age=([^;]*)/i.exec(header)?.[1]
        const expiresAt = maxAge === undefined ? null : Date.now() + Number(maxAge) * 1000
        content.cookies[name] = { value, path, expiresAt }
      }
      if (headers.length > 0) write()
    },
    /** The header `Cookie` of a request. */
    cookiesFor(url: string): string {
      const { pathname } = new URL(url)
      const isSent = ({ path, expiresAt }: Cookie) =>
        pathname.startsWith(path) && (expiresAt === null || expiresAt > Date.now())
      return Object.entries(content.cookies)
        .filter(([, cookie]) => isSent(cookie))
        .map(([name, { value }]) => `${name}=${value}`)
        .join('; ')
    },
  }
  const projects = new Map(content.projects)
  const keepProjects = () => {
    content.projects = [...projects]
    write()
  }
  return { storage, jar, projects, keepProjects, written: () => writing }
}
