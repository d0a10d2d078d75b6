/** The public face of the auth module: the one file that the rest of the app imports. */
export { createCookieBackend, createJsonBackend } from './backend.ts'
export type { AuthBackend, CallOptions } from './backend.ts'
export { createApiClient } from './client.ts'
export type { Credentials, TokenGrant, User } from './contract.ts'
export { installAuthGuard } from './guard.ts'
export { SessionEndedError } from './session.ts'
export { createAuth, useAuthStore } from './store.ts'
export { createTabs } from './tabs.ts'
