/** What the app prepares for a person before they enter a page (guard.ts): once, until they leave. */
import { watch } from 'vue'
import { START_LOCATION } from 'vue-router'
import type { Router } from 'vue-router'
import type { User } from './contract.ts'
import type { Page } from './locations.ts'

/** `signal` aborts when the person is no longer signed in, or their roles change. */
export type Prepare<U extends User = User> = (user: U, options: { signal: AbortSignal }) => unknown

export function createPreparation<U extends User>(
  currentUser: () => U | null,
  prepare?: Prepare<U>,
) {
  let current: { isDone: boolean; done: Promise<void> } | null = null
  let person = new AbortController()

  const stopWatch = watch(
    () => personOf(currentUser()),
    () => {
      current = null
      person.abort()
      person = new AbortController()
    },
    { flush: 'sync' }, // It runs again for a person who signs out and in at once.
  )

  function start(user: U, run: Prepare<U>) {
    const { signal } = person
    const done = new Promise<void>((resolve, reject) => {
      // Nobody waits for what was begun for somebody else.
      signal.addEventListener('abort', () => resolve())
      const call = async () => void (await run(user, { signal }))
      call().then(resolve, reject)
    })
    const started = { isDone: false, done }
    done.then(
      () => (started.isDone = true),
      () => current === started && (current = null),
    )
    return started
  }

  return {
    /** Whether nothing is left to do: also if nobody is signed in. */
    isReady: () => !prepare || !currentUser() || !!current?.isDone,
    /**
     * Runs `prepare` unless it runs or has run.
     *
     * @throws what it throws
     */
    async ready(): Promise<void> {
      const user = currentUser()
      if (!user || !prepare) return
      current ??= start(user, prepare)
      await current.done
    },
    stop(): void {
      stopWatch()
      person.abort()
    },
  }
}

/** What `prepare` depends on: another person, or other roles. */
function personOf(user: User | null): string | null {
  return user && JSON.stringify([user.id, user.roles])
}

/** A last parameter for all that follows, and no fixed word before it: `/:pathMatch(.*)*`, `/:lang/:rest(.*)`. */
const CATCH_ALL = /^(?:\/:\w+(?:\([^)]*\))?\??)*\/:\w+\(\.[*+]\)[*+?]?$/

/** Whether no route was found, or the one for all addresses that have none. */
export function isCatchAll({ matched }: Pick<Page, 'matched'>): boolean {
  const path = matched[matched.length - 1]?.path
  return path === undefined || CATCH_ALL.test(path)
}

/** The page that was asked for. A catch-all with a `redirect` has led away from it, to `to`. */
export function askedFor(to: Page, router: Router): Page {
  const asked = to.redirectedFrom
  const redirect = asked?.matched[asked.matched.length - 1]?.redirect
  if (!asked || !redirect || !isCatchAll(asked)) return to
  const target = typeof redirect === 'function' ? redirect(asked, START_LOCATION) : redirect
  return router.resolve(target).path === to.path ? asked : to
}
