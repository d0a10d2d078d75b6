/** Routes as the guard reads them, and addresses that stay in this app. */
import type { RouteLocationNormalized, RouteLocationRaw, Router } from 'vue-router'

/**
 * What the guard reads of a route's `meta`. The app declares it for its routes, because it may have such
 * fields already.
 *
 * @example
 * declare module 'vue-router' {
 *   interface RouteMeta extends AccessMeta {}
 * }
 */
export interface AccessMeta {
  /** For signed-in people only; others are sent to sign in and brought back. */
  requiresAuth?: boolean
  /** For guests only, such as the sign-in page; a signed-in person is sent on. */
  guestOnly?: boolean
  /** For people with at least one of these roles. */
  roles?: readonly string[]
}

/** A route, as a guard is given it or as `router.resolve` finds it. */
export type Page = Omit<RouteLocationNormalized, 'name'> & {
  name?: RouteLocationNormalized['name'] | null
}

export type Redirect = Exclude<RouteLocationRaw, string>

const OPEN: AccessMeta = { requiresAuth: false, roles: undefined }

/** An origin that no page has. A redirect such as `//example.com` resolves to another one. */
const SOME_ORIGIN = 'http://app.invalid'

/**
 * The catch-all route `name`, `/:pathMatch(.*)*`, at the address of `to`: shows another page there,
 * such as an error, and keeps the address for later.
 *
 * @example router.replace(atSameAddress('unavailable', to))
 */
export function atSameAddress(name: string, to: Page): Redirect {
  const pathMatch = to.path.slice(1).split('/').map(decoded)
  return { name, params: { pathMatch }, query: to.query, hash: to.hash }
}

/** Whether a page is for signed-in people only. */
export function requiresSignIn({ meta }: Pick<Page, 'meta'>): boolean {
  return !!meta.requiresAuth || !!meta.roles
}

/** Whether somebody may see a page: signed in, and with one of its roles, if the page asks for that. */
export function maySee(page: Pick<Page, 'meta'>, visitor: Visitor): boolean {
  if (!requiresSignIn(page)) return true
  const { roles } = page.meta as AccessMeta
  return visitor.isAuthenticated && (!roles || roles.some((role) => visitor.hasRole(role)))
}

/** What of the auth store decides that. */
interface Visitor {
  readonly isAuthenticated: boolean
  readonly hasRole: (role: string) => boolean
}

/** By path, not by name: what is shown there may be another page by now. */
export function locationOf({ path, query, hash }: Page): Redirect {
  return { path, query, hash }
}

/**
 * The sign-in page is open to everyone, also where its route or one around it says something else: the
 * guard would ask for a sign-in there, and for another one on the way, without end. Reports what is
 * wrong with the route.
 */
export function openSignIn(page: Page): void {
  const record = page.matched[page.matched.length - 1]
  if (record?.path !== page.path) {
    report(`There is no route "${page.path}". Add the sign-in page, or name it in \`login\`.`)
  } else if (requiresSignIn(page)) {
    const open = '{ requiresAuth: false, roles: undefined }'
    report(`The sign-in page "${page.path}" asks for a sign-in. Give its route \`meta: ${open}\`.`)
    Object.assign(record.meta, OPEN)
  }
}

/** The page that stands in for others is open to everyone, also in an app that is closed by default. */
export function openStandIn(router: Router, name: string): void {
  const record = router.getRoutes().find((route) => route.name === name)
  if (record) Object.assign(record.meta, OPEN)
}

function report(problem: string): void {
  console.error(new Error(problem))
}

/**
 * Disables the guards of the routes that are left for `to`, such as `onBeforeRouteLeave`: they cannot keep
 * open a page that may not be seen any more.
 */
export function silenceGuards(here: Page, to: Page): void {
  for (const record of here.matched) {
    if (to.matched.includes(record)) continue
    record.leaveGuards.clear()
    record.instances = {} // Whose `beforeRouteLeave` would be called.
  }
}

/** Whether this is a path, and a browser that follows it stays on this origin. */
export function staysOnOrigin(path: string): boolean {
  try {
    return path.startsWith('/') && new URL(path, SOME_ORIGIN).origin === SOME_ORIGIN
  } catch {
    return false
  }
}

/** Without lone surrogates, which cannot be encoded: the router would throw a URIError. */
export function wellFormed(address: string): string {
  return address.replace(/\p{Surrogate}/gu, '\ufffd')
}

/** The router encodes it again. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
