/**
 * The cookie that carries the refresh token (S4). No script can read it, and no other site sends it.
 */
import { deleteCookie, setCookie } from 'h3'
import type { H3Event } from 'h3'

/**
 * Over https the prefix `__Host-` makes the browser refuse a cookie of this name that another host
 * or a longer path would set. Over http there is no such prefix, and all ports of a host share one
 * set of cookies: the port in the name keeps the dev server and the preview apart.
 *
 * What a proxy says of the protocol (`X-Forwarded-Proto`) is not trusted.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3.2
 */
function describeCookie({ url }: H3Event) {
  const isSecure = url.protocol === 'https:'
  return {
    name: isSecure ? '__Host-refresh_token' : `refresh_token_${url.port || 80}`,
    options: {
      path: isSecure ? '/' : '/api/auth',
      httpOnly: true,
      secure: isSecure,
      sameSite: 'strict',
    },
  } as const
}

/**
 * The values of all cookies of the name. A browser sends more than one only if another page of this
 * host has set its own under another path. Nobody can tell which one is ours.
 */
export function readRefreshCookies(event: H3Event): string[] {
  const prefix = `${describeCookie(event).name}=`
  const cookies = event.req.headers.get('cookie')?.split(';') ?? []
  return cookies
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie.startsWith(prefix))
    .map((cookie) => cookie.slice(prefix.length))
}

/** `maxAge` in seconds. */
export function setRefreshCookie(event: H3Event, refreshToken: string, maxAge: number): void {
  const { name, options } = describeCookie(event)
  setCookie(event, name, refreshToken, { ...options, maxAge })
}

export function deleteRefreshCookie(event: H3Event): void {
  const { name, options } = describeCookie(event)
  deleteCookie(event, name, options)
}
