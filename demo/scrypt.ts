/**
 * PBKDF2 in the place of mock-server/scrypt.ts: WebCrypto has no scrypt, and everybody knows the
 * passwords of the demo.
 */
import type { ScryptOptions } from '../mock-server/scrypt.ts'

export async function scrypt(
  password: string,
  salt: Uint8Array<ArrayBuffer>,
  length: number,
  { cost }: ScryptOptions,
): Promise<Uint8Array> {
  const bytes = new TextEncoder().encode(password)
  const key = await crypto.subtle.importKey('raw', bytes, 'PBKDF2', false, ['deriveBits'])
  const algorithm = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: cost }
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, length * 8))
}
