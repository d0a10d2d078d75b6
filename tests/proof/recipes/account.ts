import { api } from '@/api/client.ts'

/** What a person without a session may ask for: `auth: false` sends it without a token. */
const guest = { method: 'POST', auth: false } as const

export async function register(account: { username: string; name: string; password: string }) {
  await api('/auth/register', { ...guest, body: account })
}

/** The API sends an email with a link to `/reset-password#token`, whether or not it knows the person. */
export async function forgotPassword(username: string) {
  await api('/auth/forgot-password', { ...guest, body: { username } })
}

/** The API ends the sessions that this person still has elsewhere. */
export async function resetPassword(token: string, password: string) {
  await api('/auth/reset-password', { ...guest, body: { token, password } })
}
