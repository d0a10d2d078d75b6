/**
 * Which host names the mock answers to. A foreign name that leads to this machine (DNS rebinding)
 * would make a foreign page one of the mock's own origin.
 */
import type { H3 } from 'h3'

/**
 * Runs before all else: a request that is refused here takes no fault and leaves nothing in the log.
 *
 * `names`: those that are answered besides `localhost` and IP addresses, which nobody can rebind.
 * Without it every name is, as in Vite, which has a check of its own.
 */
export function checkHosts(app: H3, names?: string[]): void {
  const answer = app.fetch
  app.fetch = (request) => {
    const hosts = hostsOf(request)
    if (!hosts) return refuse(400, 'invalid_host', 'The header Host is not a host.')

    const isKnown = (host: string) => host === 'localhost' || isAddress(host)
    if (!names || hosts.every((host) => isKnown(host) || names.includes(host))) {
      return answer(request)
    }
    const message = 'Call this as localhost or by its IP address, or set MOCK_HOST to this name.'
    return refuse(421, 'foreign_host', message)
  }
}

/** Where the request is addressed to, by its target and by its header; null if that is no host. */
function hostsOf(request: Request): string[] | null {
  try {
    // A target in absolute form has a host of its own. RFC 9112 §3.2.2
    const url = new URL(request.url)
    const header = request.headers.get('host') ?? url.host
    if (!/^[\w.:[\]-]+$/.test(header)) return null // `new URL` would also take a path or a user.
    return [url.hostname, new URL(`http://${header}`).hostname]
  } catch {
    return null
  }
}

/** As `URL` writes a host: only an IPv6 address begins so, and nothing else ends in a number. */
function isAddress(host: string): boolean {
  return /^\[|(^|\.)\d+$/.test(host)
}

function refuse(status: number, code: string, message: string): Response {
  return Response.json({ status, message, data: { code } }, { status })
}
