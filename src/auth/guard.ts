/**
 * The router's guard: who may enter a route, and where to go when a session begins or ends. It is
 * told the app's paths by options; what the pages show is left to the app.
 */
import { watch } from 'vue'
import { loadRouteLocation } from 'vue-router'
import type { RouteLocationNormalized, RouteLocationRaw, Router } from 'vue-router'
import type { User } from './contract.ts'

type Redirect = Exclude<RouteLocationRaw, string>

/** An origin that no page has. A redirect such as `//example.com` resolves to another. */
const SOME_ORIGIN = 'http://app.invalid'

declare module 'vue-router' {
  interface RouteMeta {
    /** For signed-in people only; others are sent to sign in and brought back. */
    requiresAuth?: boolean
    /** For guests only, such as the sign-in page; a signed-in person is sent on. */
    guestOnly?: boolean
    /** For people with at least one of these roles. */
    roles?: readonly string[]
  }
}

/** What the guard needs of the auth store. */
export interface GuardedAuth {
  readonly status: 'restoring' | 'anonymous' | 'authenticated'
  readonly user: User | null
  readonly isAuthenticated: boolean
  readonly endReason: 'signed-out' | 'expired' | null
  readonly hasRole: (role: string) => boolean
  restore(): Promise<void>
}

export interface AuthGuardOptions {
  /** The auth store. */
  auth: GuardedAuth
  /** Path of the sign-in page, whose `redirect` query brings people back. Default `/login`. */
  login?: string
  /** Path of the page that follows a sign-in when no other was asked for. Default `/dashboard`. */
  home?: string
  /** Path of the page for people who lack the role. Default `/forbidden`. */
  forbidden?: string
  /**
   * Name of a catch-all route, `/:pathMatch(.*)*`, that stands in for a page while the API cannot say
   * whether its session lives. Default `unavailable`. Where there is none, the navigation rejects.
   */
  unavailable?: string
}

/**
 * Guards `router`. Navigation waits for the restore of a session, and never longer than that: a
 * route that is open to all does not wait. Returns the function that takes the guard off.
 */
export function installAuthGuard(router: Router, options: AuthGuardOptions): () => void {
  const { login = '/login', home = '/dashboard', forbidden = '/forbidden' } = options
  const { auth, unavailable = 'unavailable' } = options

  function verdict(to: RouteLocationNormalized): Redirect | true {
    if (to.meta.guestOnly && auth.isAuthenticated) return destination(to.query.redirect)
    if (!isProtected(to)) return true
    if (!auth.isAuthenticated) return { path: login, query: { redirect: to.fullPath } }
    const { roles } = to.meta
    return !roles || roles.some((role) => auth.hasRole(role)) || { path: forbidden }
  }

  /** A path of this app that leads to a page, or `home`: never another origin. */
  function destination(redirect: unknown): Redirect {
    const isPath = typeof redirect === 'string' && redirect.startsWith('/')
    if (!isPath || !staysHere(redirect)) return { path: home }
    const { path, query, hash, matched } = router.resolve(redirect)
    const isPage = matched.at(-1)?.path.startsWith('/:pathMatch') === false
    return isPage ? { path, query, hash } : { path: home }
  }

  /** After a step back it replaces the page: else the next step back would lead there again. */
  function redirect(asked: RouteLocationNormalized, to: Redirect | true): Redirect | true {
    return to === true || { ...to, replace: router.options.history.location === asked.fullPath }
  }

  /** Navigations whose restore has failed. It is tried once for each. */
  const unrestored = new WeakSet<RouteLocationNormalized>()

  async function enter(to: RouteLocationNormalized): Promise<Redirect | true> {
    const needsRestore = auth.status === 'restoring' && !unrestored.has(to)
    if (needsRestore && (isProtected(to) || to.meta.guestOnly)) {
      // Loads the page's code beside the restore. The navigation loads it too, and reports a failure.
      Promise.resolve(to)
        .then(loadRouteLocation)
        .catch(() => {})
      try {
        await auth.restore()
      } catch (error) {
        unrestored.add(to)
        if (!isProtected(to)) return true
        if (!router.hasRoute(unavailable)) throw error
        // R7: weather is not a sign-out. The address stays, so that the page is there later.
        return redirect(to, standIn(unavailable, to))
      }
    }
    return redirect(to, verdict(to))
  }

  // Again when the chunk is there, and other guards are done: the session may have ended meanwhile.
  const stopBefore = router.beforeEach(enter)
  const stopResolve = router.beforeResolve(enter)

  /** Where to go from a page that may not be seen any more; `true`: it may. */
  function wayOut(here: RouteLocationNormalized, endedHere: boolean): Redirect | true {
    const { path, query, hash, fullPath } = here
    const page = here.name === unavailable ? router.resolve(fullPath) : here
    const isSignedOut = auth.endReason === 'signed-out'
    if (isSignedOut && isProtected(page)) return { path: login }
    if (page !== here) return { path, query, hash }
    if (auth.isAuthenticated) return verdict(here)
    if (isSignedOut || !endedHere || here.meta.guestOnly) return true
    return { path: login, query: { redirect: fullPath } } // R8
  }

  function leave(here: RouteLocationNormalized, endedHere: boolean): void {
    if (auth.status === 'restoring' || here.matched.length === 0) return
    const to = wayOut(here, endedHere)
    // A failure is told by router.onError.
    if (to !== true) router.replace(to).catch(() => {})
  }

  const stopWatch = watch([() => auth.status, () => auth.user], (_, [before]) => {
    const here = router.currentRoute.value
    leave(here, before === 'authenticated' || isProtected(here))
  })

  // A guard behind this one may have taken its time.
  const stopAfter = router.afterEach((to, _, failure) => {
    if (!failure && to.name !== unavailable) leave(to, isProtected(to))
  })

  return () => {
    stopBefore()
    stopResolve()
    stopWatch()
    stopAfter()
  }
}

/**
 * The route `name`, in the place of the page at `path`, whose address it keeps. It is a catch-all:
 * `/:pathMatch(.*)*`.
 */
export function standIn(name: string, to: RouteLocationNormalized): Redirect {
  const pathMatch = to.path.slice(1).split('/').map(decoded)
  return { name, params: { pathMatch }, query: to.query, hash: to.hash }
}

/** Not by `URL.canParse`: browsers that the build is for are older. */
function staysHere(path: string): boolean {
  try {
    return new URL(path, SOME_ORIGIN).origin === SOME_ORIGIN
  } catch {
    return false
  }
}

/** As the router takes it, which encodes it again. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** Whether a route is for signed-in people only. */
export function isProtected({ meta }: Pick<RouteLocationNormalized, 'meta'>): boolean {
  return !!meta.requiresAuth || !!meta.roles
}
