/** The public face of the auth module. The rest of the app imports from here only. */

/** The version of this folder: CHANGELOG.md of the template says what changed in each. */
export const version = '2.0.0'

export { createAuth } from './auth.ts'
export type { AuthOptions } from './auth.ts'
export { createCookieBackend, createRequest } from './backend.ts'
export { retryAfter } from './backoff.ts'
export type {
  AuthBackend,
  BackendOptions,
  CallOptions,
  LogoutOptions,
  RequestDefaults,
  RequestOptions,
} from './backend.ts'
export { createApiClient } from './client.ts'
export type { ApiClientOptions } from './client.ts'
export { UserSchema } from './contract.ts'
export type { PasswordCredentials, TokenGrant, User } from './contract.ts'
export {
  ApiError,
  InvalidGrantError,
  MissingRefreshTokenError,
  SessionEndedError,
  isRefusal,
} from './errors.ts'
export type { EndReason } from './errors.ts'
export type { AuthEvent, RefreshCause } from './events.ts'
export { createAuthFetch } from './fetch.ts'
export type { AuthFetchOptions } from './fetch.ts'
export { installAuthGuard } from './guard.ts'
export type { AuthGuardOptions, GuardedAuth } from './guard.ts'
export { createJsonBackend } from './json-backend.ts'
export { atSameAddress, maySee } from './locations.ts'
export type { AccessMeta } from './locations.ts'
export { browserStorage, createStoredValue } from './storage.ts'
export { sharedName } from './tabs/name.ts'
export { createTabs } from './tabs/tabs.ts'
export type { Tabs, TabsOptions } from './tabs/tabs.ts'
