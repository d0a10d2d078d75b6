/**
 * The auth store: owns the tokens and is the only one that refreshes. It knows which session is the
 * current one, here and in the other tabs; what goes on within one is left to session.ts.
 */
import { defineStore } from 'pinia'
import * as v from 'valibot'
import { computed, getCurrentScope, onScopeDispose, ref, shallowRef } from 'vue'
import { createCookieBackend, createJsonBackend, isRefusal } from './backend.ts'
import type { AuthBackend, CallOptions } from './backend.ts'
import { TokenGrantSchema } from './contract.ts'
import type { Credentials, TokenGrant, User } from './contract.ts'
import { Session, SessionEndedError } from './session.ts'
import type { HeldGrant, RefreshFailure, SessionEnd } from './session.ts'
import { createTabs } from './tabs.ts'
import type { Tabs } from './tabs.ts'

export interface AuthOptions {
  backend: AuthBackend
  tabs?: Tabs
  /** Milliseconds since the epoch. */
  now?: () => number
  /** A number from 0 up to, but not including, 1. */
  random?: () => number
  /** Milliseconds that a call to the back end may take (R11). */
  timeout?: number
}

/** What the tabs of one browser profile tell each other. It never leaves the browser. */
type TabMessage =
  | { type: 'granted'; id: string; held: HeldGrant }
  | { type: 'failed'; id: string; failure: RefreshFailure }
  | { type: 'ended'; id: string; reason: SessionEnd }

/** Stands in the note that tabs share for a session when the API could not be told of its end. */
const SIGN_OUT_OWED = 'sign-out-owed'

/** Milliseconds that the message of the tab that held the lock may take to arrive (R1). */
const MESSAGE_DELAY = 100

export function createAuth(options: AuthOptions) {
  const { backend, tabs = createTabs(), now = Date.now, random = Math.random } = options
  const { timeout = 10_000 } = options

  // The session itself is not reactive: a call made inside an effect must not depend on its token.
  let session: Session | null = null
  const signIns = new Set<Session>()
  const held = shallowRef<HeldGrant | null>(null)
  const status = ref<'restoring' | 'anonymous' | 'authenticated'>('anonymous')
  const endReason = ref<'signed-out' | 'expired' | null>(null)

  /**
   * Signs in, and takes the place of a session that there may be.
   *
   * @throws what the back end throws, or SessionEndedError if signed out before it answered
   */
  async function login(credentials: Credentials): Promise<void> {
    const next = open(newId())
    signIns.add(next)
    try {
      await tabs.exclusive(async () => {
        begin(next, await granted(next, (call) => backend.login(credentials, call)))
      })
    } finally {
      signIns.delete(next)
    }
  }

  /**
   * Ends the session, here and now. The promise resolves when the API has been told; where that
   * fails, the next restore tells it.
   */
  async function logout(): Promise<void> {
    const id = session?.id
    for (const next of signIns) next.end(new SessionEndedError('signed-out')) // R12
    if (session) finish(session, 'signed-out')
    tabs.session.set(SIGN_OUT_OWED)

    await tabs.exclusive(async () => {
      const current = tabs.session.get()
      // Somebody has signed in meanwhile: the refresh token is theirs.
      if (current && current !== SIGN_OUT_OWED && current !== id) return
      try {
        await limited(null, (call) => backend.logout(call))
      } catch (error) {
        if (!isRefusal(error)) return
      }
      tabs.session.set(null)
    })
  }

  /**
   * Gets a new access token now. Requests do this by themselves when they need one.
   *
   * @throws SessionEndedError, or the failure of the refresh
   */
  async function refresh(): Promise<void> {
    if (!session) throw new SessionEndedError(endReason.value ?? 'signed-out')
    await session.refresh()
  }

  /**
   * Resolves when it is known who is signed in: by one refresh if somebody may be, else by none.
   *
   * @throws the failure of the refresh if it may pass; `status` is `restoring` until one succeeds
   */
  async function restore(): Promise<void> {
    if (!session && tabs.session.get() === SIGN_OUT_OWED) return logout()
    while (session && !session.held) {
      await session.refresh().catch((error) => {
        if (!(error instanceof SessionEndedError)) throw error
      })
    }
  }

  /** How a session renews its grant: once for all tabs (R1). */
  async function renew(own: Session): Promise<void> {
    const { held, failure } = own
    const unchanged = () => own.held === held && own.failure === failure && !own.ended

    await tabs.exclusive(async (contended) => {
      if (contended && unchanged()) await messageThat(() => !unchanged())
      own.check()
      if (own.held !== held) return
      try {
        const next = await granted(own, (call) => backend.refresh(call))
        // R6: somebody else has signed in, and this tab has not heard of it.
        begin(held && held.user.id !== next.user.id ? open(newId()) : own, next)
      } catch (error) {
        if (own.ended) throw own.ended // R12
        if (isRefusal(error)) throw finish(own, 'expired', error) // R8
        own.fail(error) // R7
        tell({ type: 'failed', id: own.id, failure: { ...own.failure!, error: portable(error) } })
        throw error
      }
    })
  }

  function open(id: string): Session {
    return new Session({ id, now, random, renew })
  }

  function begin(next: Session, grant: HeldGrant): void {
    if (next.ended) throw next.ended
    adopt(next, grant)
    tabs.session.set(next.id)
    tell({ type: 'granted', id: next.id, held: grant })
  }

  function adopt(next: Session, grant: HeldGrant): void {
    if (session !== next) session?.end(new SessionEndedError('replaced'))
    session = next
    session.hold(grant)
    endReason.value = null
    show()
  }

  function finish(own: Session, reason: SessionEnd, cause?: unknown): SessionEndedError {
    drop(own, reason, cause)
    if (tabs.session.get() === own.id) tabs.session.set(null)
    tell({ type: 'ended', id: own.id, reason })
    return own.ended!
  }
