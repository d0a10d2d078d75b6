/**
 * The one thing below app.ts that needs Node. All else is of the web platform, so that the mock also
 * runs in a worker.
 */
import { scrypt as scryptOfNode } from 'node:crypto'

export interface ScryptOptions {
  cost: number
  blockSize: number
  parallelization: number
}

/** @see https://www.rfc-editor.org/rfc/rfc7914 */
export function scrypt(
  password: string,
  salt: Uint8Array,
  length: number,
  options: ScryptOptions,
): Promise<Uint8Array> {
  const { cost, blockSize, parallelization } = options
  // What these numbers need. Node's own limit ends at the default cost.
  const maxmem = 128 * blockSize * (cost + parallelization + 2)
  return new Promise((resolve, reject) => {
    scryptOfNode(password, salt, length, { ...options, maxmem }, (error, key) => {
      if (error) reject(error)
      else resolve(key)
    })
  })
}
