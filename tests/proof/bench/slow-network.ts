/** A network of 150 ms a round trip and 1.6 Mbit/s in front of a local port. */
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/** Milliseconds. */
export const ROUND_TRIP = 150
/** What comes down, for all connections together. */
const BYTES_PER_MILLISECOND = 200

export interface SlowNetwork {
  port: number
  /** Before this is called, nothing is delayed. */
  slowDown(): void
  /** As after a pause: the next request opens a connection. */
  dropConnections(): void
  close(): void
}

export async function slowNetwork(target: number): Promise<SlowNetwork> {
  const connections = new Set<Socket>()
  let isSlow = false
  /** When the line has sent all that it was given. */
  let free = 0

  const server: Server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    client.setNoDelay()
    upstream.setNoDelay()
    connections.add(client)
    // To open a connection takes one round trip.
    const openAt = performance.now() + (isSlow ? ROUND_TRIP : 0)
    const up = inOrder((chunk) => upstream.write(chunk))
    const down = inOrder((chunk) => client.write(chunk))
    client.on('data', (chunk) => up(chunk, delayFrom(Math.max(performance.now(), openAt))))
    upstream.on('data', (chunk) => {
      free = Math.max(performance.now(), free) + chunk.length / BYTES_PER_MILLISECOND
      down(chunk, delayFrom(free))
    })
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => {})
      one.on('close', () => {
        connections.delete(one)
        setTimeout(() => other.destroy(), isSlow ? 2 * ROUND_TRIP : 0)
      })
    }
  })

  function delayFrom(time: number): number {
    return isSlow ? time + ROUND_TRIP / 2 - performance.now() : 0
  }

  return {
    port: await listen(server),
    slowDown: () => void (isSlow = true),
    dropConnections: () => connections.forEach((connection) => connection.destroy()),
    close() {
      connections.forEach((connection) => connection.destroy())
      server.close()
    },
  }
}

/** Timers of different lengths need not run in order: each sends the oldest chunk. */
function inOrder(send: (chunk: Buffer) => void) {
  const chunks: Buffer[] = []
  return (chunk: Buffer, delay: number) => {
    chunks.push(chunk)
    setTimeout(() => send(chunks.shift()!), delay)
  }
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
