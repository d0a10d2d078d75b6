/**
 * The seam for an error tracker, logs and metrics: what the session does and what goes wrong in the app.
 * Name the origin that it sends to in VITE_CONNECT_SRC.
 */
import { SessionEndedError } from '@/auth/index.ts'
import type { AuthEvent } from '@/auth/index.ts'

/** Put yours in here: with Sentry, `error: (error) => Sentry.captureException(error)`. */
export const tracker = {
  /** Holds no token, password or body. Many of `refresh` with `outcome: 'failed'` are an alarm. */
  event: (_event: AuthEvent): void => {},
  error: (error: unknown): void => console.error(error),
}

/** A call that ended with its session is no fault: nobody waits for it any more. */
export function reportError(error: unknown): void {
  // Clients wrap errors in their own.
  if ([error, Object(error).cause].some((cause) => cause instanceof SessionEndedError)) return
  tracker.error(error)
}
