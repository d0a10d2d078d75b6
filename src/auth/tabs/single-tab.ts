/** In place of the shared session for a tab on its own (`tabs: null`). */
import type { SharedSession } from './shared-session.ts'
import { createQueue } from './tabs.ts'

/** Without other tabs: tasks run one at a time, and nothing is shared. */
export function singleTab(): SharedSession {
  const exclusive = createQueue()
  const ignore = () => {}
  return {
    exclusive,
    catchUp: ignore,
    markRefresh: (refresh) => refresh(),
    knownId: () => null,
    joined: ignore,
    granted: ignore,
    failed: ignore,
    refused: ignore,
    left: ignore,
    ended: ignore,
    signOut: {
      isOwed: () => false,
      owe: ignore,
      settle: async (_session, tellApi) => void (await exclusive(tellApi)),
    },
    stop: ignore,
  }
}
