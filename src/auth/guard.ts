/**
 * The router's guard: who may enter a page, and where to go when a session begins or ends. The app's
 * paths are options. What the pages show is left to the app.
 */
import { watch } from 'vue'
import { loadRouteLocation } from 'vue-router'
import type { RouteLocationNormalized, Router } from 'vue-router'
import type { User } from './contract.ts'
import {
  atSameAddress,
  locationOf,
  maySee,
  openSignIn,
  openStandIn,
  requiresSignIn,
  silenceGuards,
  staysOnOrigin,
  wellFormed,
} from './locations.ts'
import type { Page, Redirect } from './locations.ts'
import { askedFor, createPreparation, isCatchAll } from './prepare.ts'
import type { Prepare } from './prepare.ts'

/** What the guard reads of the auth store. Reactive, as a store is. */
export interface GuardedAuth<U extends User = User> {
  readonly status: 'restoring' | 'anonymous' | 'authenticated'
  readonly user: U | null
  readonly isAuthenticated: boolean
  readonly endReason: 'signed-out' | 'expired' | null
  readonly hasRole: (role: string) => boolean
  restore(): Promise<void>
}

/** A path, or a function of the page that is asked for. */
export type Path = string | ((page: Page) => string)

export interface AuthGuardOptions<U extends User = User> {
  /** The auth store. */
  auth: GuardedAuth<U>
  /**
   * Path of the sign-in page, whose `redirect` query brings people back. Default `/login`. Its route
   * must be there when the guard is installed. This path and the next two may be functions of the page
   * that is asked for, for example for a language in the address.
   */
  login?: Path
  /** Path of the page that follows a sign-in when no other was asked for. Default `/dashboard`. */
  home?: Path
  /** Path of the page for people who lack the role. Default `/forbidden`. */
  forbidden?: Path
  /**
   * Name of the catch-all route, `/:pathMatch(.*)*`, that is shown at the address of a page while it
   * cannot be known who is signed in, or after `prepare` failed. Default `unavailable`. Without such a
   * route, the navigation rejects.
   */
  unavailable?: string
  /**
   * Called after a sign-in or a restore, and awaited before a page is entered: loads menus, adds routes
   * by role. Pages that are open to everyone do not wait for it.
   *
   * Runs once for a person, again when their roles change or they sign in again, and at the next
   * navigation after it rejected. Routes that it added for the last person are still there: remove them
   * first, and give each route `requiresAuth` or `roles`.
   *
   * With it, an unknown address may be a page that is added later: visitors are asked to sign in first,
   * and see that it does not exist after that. Unknown is what only a catch-all matches, whatever its
   * parameter is called, and also if it has a `redirect`. A guard of yours that sends unknown addresses
   * elsewhere must run after this one.
   *
   * @example
   * async prepare(user, { signal }) {
   *   const pages = await listPages({ signal })
   *   for (const page of pages) router.addRoute(page)
   * }
   */
  prepare?: Prepare<U>
}

/**
 * Guards `router`. A navigation waits until it is known who is signed in, unless its page is open to
 * everyone. Returns a function that removes the guard.
 */
export function installAuthGuard<U extends User>(
  router: Router,
  options: AuthGuardOptions<U>,
): () => void {
  const { login = '/login', home = '/dashboard', forbidden = '/forbidden' } = options
  const { auth, unavailable = 'unavailable', prepare } = options

  function verdict(to: Page): Redirect | true {
    if (to.meta.guestOnly && auth.isAuthenticated) return locationOf(destination(to))
    if (!needsSignIn(to)) return true
    if (!auth.isAuthenticated) return signInFor(to)
    if (isUnknown(to)) {
      const found = router.resolve(askedFor(to, router).fullPath)
      return isUnknown(found) || locationOf(found)
    }
    return maySee(to, auth) || { path: at(forbidden, to) }
  }

  /** @throws Error if it was the way to the sign-in page that led to `to` */
  function signInFor(to: Page): Redirect {
    const path = at(login, to)
    if (to.redirectedFrom && to.query.redirect === to.redirectedFrom.fullPath) {
      throw new Error(`The sign-in page "${path}" leads to "${to.path}", which asks for a sign-in.`)
    }
    return { path, query: { redirect: askedFor(to, router).fullPath } }
  }

  /** Where the sign-in page leads: a page of this app, never another origin. */
  function destination(from: Page): Page {
    const { redirect } = from.query
    const start = () => router.resolve(at(home, from))
    if (typeof redirect !== 'string' || !staysOnOrigin(redirect)) return start()
    const page = router.resolve(wellFormed(redirect))
    return isUnknown(page) && preparation.isReady() ? start() : page
  }

  /** `prepare` may add a page at an unknown address. */
  function needsSignIn(to: Page): boolean {
    return to.path !== at(login, to) && (requiresSignIn(to) || (!!prepare && isUnknown(to)))
  }

  /** Neither a page nor the stand-in for one. */
  function isUnknown(to: Page): boolean {
    return to.name !== unavailable && isCatchAll(askedFor(to, router))
  }

  if (typeof login === 'string') openSignIn(router.resolve(login))
  openStandIn(router, unavailable)
  const preparation = createPreparation(() => auth.user, prepare)

  /**
   * Resolves when it is known who is signed in, and `prepare` has run for them.
   *
   * @throws the failure of the restore or of `prepare`
   */
  async function ready(): Promise<void> {
    if (auth.status === 'restoring') await auth.restore()
    await preparation.ready()
    if (auth.status === 'restoring' || !preparation.isReady()) await ready() // Somebody else by now.
  }

  /** After a step back it replaces the page: else the next step back would lead there again. */
  function redirect(asked: Page, to: Redirect | true): Redirect | true {
    return to === true || { ...to, replace: router.options.history.location === asked.fullPath }
  }

  /** Navigations for which `ready` has failed. It is tried once for each. */
  const failed = new WeakSet<RouteLocationNormalized>()

  async function enter(to: RouteLocationNormalized): Promise<Redirect | true> {
    const address = wellFormed(to.fullPath)
    if (address !== to.fullPath) return locationOf(router.resolve(address))
    const isReady = auth.status !== 'restoring' && preparation.isReady()
    if ((needsSignIn(to) || to.meta.guestOnly) && !isReady && !failed.has(to)) {
      // Loads the page's code meanwhile. The navigation loads it too, and reports a failure.
      Promise.resolve(to)
        .then(loadRouteLocation)
        .catch(() => {})
      try {
        await ready()
      } catch (error) {
        failed.add(to)
        if (to.meta.guestOnly && !auth.isAuthenticated) return true
        if (!router.hasRoute(unavailable)) throw error
        // R7: the address stays, so that the page can be opened later.
        const page = to.meta.guestOnly ? destination(to) : askedFor(to, router)
        return redirect(to, atSameAddress(unavailable, page))
      }
    }
    return redirect(to, verdict(to))
  }

  // Again when the page's code is loaded and other guards are done: the session may have ended.
  const stopBefore = router.beforeEach(enter)
  const stopResolve = router.beforeResolve(enter)

  /** Where to go from a page that may not be seen any more; `true`: it may. */
  function wayOut(here: Page, endedHere: boolean): Redirect | true {
    const page = here.name === unavailable ? router.resolve(here.fullPath) : here
    const isSignedOut = auth.endReason === 'signed-out'
    if (isSignedOut && needsSignIn(page)) return { path: at(login, page) }
    if (page !== here) return locationOf(here)
    if (auth.isAuthenticated) return preparation.isReady() ? verdict(here) : wayOutUnprepared(here)
    if (isSignedOut || !endedHere || here.meta.guestOnly) return true
    return { path: at(login, here), query: { redirect: askedFor(here, router).fullPath } } // R8
  }

  /** A person may not stay without the role for a page. Anything else is decided by entering again. */
  function wayOutUnprepared(here: Page): Redirect | true {
    if (requiresSignIn(here)) {
      const to = verdict(here)
      if (to !== true) return to
    } else if (!here.meta.guestOnly && !isUnknown(here)) {
      ready().catch(() => {}) // Tried again by the next navigation.
      return true
    }
    return { ...locationOf(askedFor(here, router)), force: true }
  }

  function leave(here: Page, endedHere: boolean): void {
    if (auth.status === 'restoring' || here.matched.length === 0) return
    const to = wayOut(here, endedHere)
    if (to === true) return
    if (verdict(here) !== true) silenceGuards(here, router.resolve(to)) // R19
    // Failures are reported by router.onError.
    router.replace(to).catch(() => {})
  }

  const stopWatch = watch([() => auth.status, () => auth.user], (_, [before]) => {
    const here = router.currentRoute.value
    leave(here, before === 'authenticated' || needsSignIn(here))
  })

  // The session may have ended while a guard behind this one ran.
  const stopAfter = router.afterEach((to, _, failure) => {
    const page = to.name === unavailable ? router.resolve(to.fullPath) : to
    const waits = page !== to && (auth.status !== 'anonymous' || !needsSignIn(page))
    if (!failure && !waits) leave(to, needsSignIn(page))
  })

  return () => {
    stopBefore()
    stopResolve()
    stopWatch()
    stopAfter()
    preparation.stop()
  }
}

function at(path: Path, page: Page): string {
  return typeof path === 'function' ? path(page) : path
}
