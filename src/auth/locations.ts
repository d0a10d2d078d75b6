/** Routes as the guard reads them, and addresses that stay in this app. */
import type { RouteLocationNormalized, RouteLocationRaw } from 'vue-router'

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

/** A route, as a guard is given it or as `router.resolve` finds it. */
export type Page = Omit<RouteLocationNormalized, 'name'> & {
  name?: RouteLocationNormalized['name'] | null
}

export type Redirect = Exclude<RouteLocationRaw, string>

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

/** By path, not by name: what is shown there may be another page by now. */
export function locationOf({ path, query, hash }: Page): Redirect {
  return { path, query, hash }
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
