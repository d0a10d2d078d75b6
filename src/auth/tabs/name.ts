/** The name of what the tabs of an app share: two apps on one origin are two. */
import { absoluteUrl } from '../url.ts'

/** Where an app and its API are. */
export interface AppLocation {
  /** The path below which the app is served, as Vite's `BASE_URL` says. Default `/`. */
  app?: string
  /** The address of the API. Default `/api`. */
  api?: string
}

/**
 * Names the lock, the channel and the stored values by where the app and its API are (R13). What is as
 * by default is left out.
 *
 * @example sharedName({ app: '/desk/', api: '/desk/api' }) // 'silent-refresh /desk/ /desk/api'
 */
export function sharedName({ app = '/', api = '/api' }: AppLocation = {}): string {
  const appPath = `${pathOf(app)}/`
  const { origin } = absoluteUrl(api)
  const apiPath = (origin === absoluteUrl('/').origin ? '' : origin) + pathOf(api) || '/'
  return ['silent-refresh', appPath !== '/' && appPath, apiPath !== '/api' && apiPath]
    .filter(Boolean)
    .join(' ')
}

/** Without slashes at its end. */
function pathOf(address: string): string {
  return absoluteUrl(address).pathname.replace(/\/+$/, '')
}
