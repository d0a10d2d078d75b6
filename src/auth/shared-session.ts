/**
 * The session that all tabs of a browser profile share: which one it is, and one refresh for all.
 * What a person does about it, signing in and out, is left to store.ts.
 */
import { isRefusal, limited } from './backend.ts'
import type { AuthBackend, CallOptions } from './backend.ts'
import { readGrant } from './contract.ts'
import type { TokenGrant, User } from './contract.ts'
import { Session, SessionEndedError, portable } from './session.ts'
import type { HeldGrant, RefreshFailure, SessionEnd } from './session.ts'
import { afterMessage } from './tabs.ts'
import type { Tabs } from './tabs.ts'

export interface SharedSessionOptions {
  backend: AuthBackend
  tabs: Tabs
  /** Milliseconds since the epoch. */
  now: () => number
  /** A number from 0 up to, but not including, 1. */
  random: () => number
  /** Milliseconds that a call to the back end may take (R11). */
  timeout: number
}

/** What the tabs of one browser profile tell each other. It never leaves the browser. */
type TabMessage =
  | { type: 'granted'; id: string; held: HeldGrant; isNoted: boolean }
  | { type: 'failed'; id: string; failure: RefreshFailure }
  | { type: 'ended'; id: string; reason: SessionEnd }

/** Stands in the note that tabs share for a session when the API could not be told of its end. */
export const SIGN_OUT_OWED = 'sign-out-owed'

/** Milliseconds that the message of the tab that held the lock may take to arrive (R1). */
const MESSAGE_DELAY = 100

/** `onChange` is called when the current session, or what it holds, has changed. */
export function createSharedSession(
  { backend, tabs, now, random, timeout }: SharedSessionOptions,
  onChange: (session: Session | null, reason: SessionEnd | null) => void,
) {
  let current: Session | null = null
  /** From when on another tab's grant is news: the latest grant here, or when the session was taken up. */
  let since = 0
  /** The ids of sessions that are over: they never come back. */
  const endedIds = new Set<string>()

  function open(id = newId()): Session {
    return new Session({ id, now, random, refresh })
  }

  /** R6: a session is one person's. Without a lock, another's refresh token may come between. */
  function sessionFor({ user }: { user: User }, session: Session, id = newId()): Session {
    return session.held && session.held.user.id !== user.id ? open(id) : session
  }

  /** Asks the back end for a grant, until the session ends. */
  async function obtain(
    session: Session,
    call: (options: CallOptions) => Promise<TokenGrant>,
  ): Promise<HeldGrant> {
    const grant = readGrant(await limited(call, timeout, session.signal))
    const receivedAt = now()
    const expiresAt = receivedAt + grant.expiresIn * 1000
    return { user: grant.user, accessToken: grant.accessToken, receivedAt, expiresAt }
  }

  /** One refresh for all tabs: the first to get the lock does it, the others take the result (R1). */
  async function refresh(session: Session): Promise<void> {
    const { held } = session
    const isRenewed = () => session.held !== held && session.isLive()
    const isSettled = () => !!session.ended || session.isPaused() || isRenewed()

    await tabs.exclusive(async (contended) => {
      if (contended && !isSettled()) await afterMessage(tabs, isSettled, MESSAGE_DELAY)
      catchUp()
      session.check()
      if (isRenewed()) return
      try {
        const grant = await obtain(session, (call) => backend.refresh(call))
        catchUp() // Where tabs share no lock, somebody may have signed in meanwhile.
        begin(sessionFor(grant, session), grant)
      } catch (error) {
        if (session.ended) throw session.ended // R12
        if (isRefusal(error)) throw end(session, 'expired', error) // R8
        session.fail(error) // R7
        tell({ type: 'failed', id: session.id, failure: portable(session.failure!) })
        // Without a lock another tab may have brought what this one failed to get.
        if (!isRenewed()) throw error
      }
    })
  }

  /** This tab has got a grant: it and all others go on with it. */
  function begin(session: Session, grant: HeldGrant): void {
    if (session.ended) throw session.ended
    tabs.session.set(session.id)
    tell({ type: 'granted', id: session.id, held: grant, isNoted: tabs.session.isShared })
    adopt(session, grant) // Last, for whoever watches may end it right then.
  }

  function adopt(session: Session, grant: HeldGrant | null): void {
    if (current && current !== session) finish(current, 'replaced') // R6
    current = session
    endedIds.delete(session.id) // `hear` may open it once more, for another person (sessionFor).
    since = grant?.receivedAt ?? now()
    if (grant) session.hold(grant)
    onChange(session, null)
  }

  /** This tab has ended the session: for all others too (R8, R13). */
  function end(session: Session, reason: SessionEnd, cause?: unknown): SessionEndedError {
    const error = leave(session, reason, cause)
    tell({ type: 'ended', id: session.id, reason })
    return error
  }

  /** This tab is in no session any more. */
  function leave(session: Session, reason: SessionEnd, cause?: unknown): SessionEndedError {
    if (tabs.session.get() === session.id) tabs.session.set(null)
    current = null
    const error = finish(session, reason, cause)
    onChange(null, reason)
    return error
  }

  /** Of a session this is the end; its id never comes back. */
  function finish(session: Session, reason: SessionEnd, cause?: unknown): SessionEndedError {
    const error = new SessionEndedError(reason, { cause })
    endedIds.add(session.id)
    session.end(error)
    return error
  }

  function hear(message: TabMessage): void {
    if (!message || endedIds.has(message.id)) return // R12: messages may arrive in any order
    const mine = current?.id === message.id ? current : null
    if (message.type === 'ended') {
      endedIds.add(message.id)
      if (mine) leave(mine, message.reason)
      else if (!sharedId()) catchUp() // R13: this tab has not heard of its beginning yet.
    } else if (message.type === 'granted') {
      if (!isNews(message.id, message.held)) return
      const session = sessionFor(message.held, mine ?? open(message.id), message.id)
      adopt(session, message.held) // R13
      remember(session.id, message.isNoted)
    } else if (message.type === 'failed') {
      const { failure } = message
      mine?.pause({ ...failure, error: Object.assign(new Error(), failure.error) })
    }
  }

  /** Whether a grant that another tab tells of is newer than what is known here: it may come late (R13). */
  function isNews(id: string, { receivedAt }: HeldGrant): boolean {
    if (current && !current.held && id === current.id) return true
    const clockSetBack = since > now()
    return clockSetBack || receivedAt >= since
  }

  /** Takes up what this tab has missed while it slept: another session, or none (R13). */
  function catchUp(): void {
    const id = sharedId()
    if (id !== (current?.id ?? null)) {
      if (!id) leave(current!, 'signed-out')
      else if (!endedIds.has(id)) adopt(open(id), null)
    }
    // If this fails, whoever needs a token is told so.
    if (current && !current.held) current.refresh().catch(() => {})
  }

  /**
   * Where storage is denied each tab keeps the id in a note of its own. A sign-out that is owed stays
   * there until the API has been told.
   */
  function remember(id: string, isNoted: boolean): void {
    const note = tabs.session.get()
    if (isNoted && tabs.session.isShared) return // And may have been ended since.
    if (!note || endedIds.has(note)) tabs.session.set(id)
  }

  function sharedId(): string | null {
    const note = tabs.session.get()
    return note === SIGN_OUT_OWED ? null : note
  }

  const tell = (message: TabMessage) => tabs.post(message)
  const stops = [tabs.listen((message) => hear(message as TabMessage)), tabs.onWake(catchUp)]
  const id = sharedId()
  if (id) adopt(open(id), null)
  const stop = () => stops.forEach((stop) => stop())
  return { current: () => current, open, obtain, begin, end, catchUp, stop }
}

/** Random, but no secret. `randomUUID` is missing on plain http. */
function newId(): string {
  const parts = crypto.getRandomValues(new Uint32Array(4))
  return Array.from(parts, (part) => part.toString(36)).join('')
}
