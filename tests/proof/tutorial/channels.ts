/** BroadcastChannel for the tabs of one browser: messages arrive soon, or as late as the test wants. */

type Listener = (event: { data: unknown }) => void

export function createChannels() {
  const open = new Set<BroadcastChannel>()
  let late: (() => void)[] | null = null

  class BroadcastChannel {
    onmessage: Listener | null = null

    constructor() {
      open.add(this)
    }

    postMessage(message: unknown): void {
      const data: unknown = structuredClone(message)
      const others = [...open].filter((other) => other !== this)
      const deliver = () => others.forEach((other) => other.onmessage?.({ data }))
      if (late) late.push(deliver)
      else queueMicrotask(deliver)
    }
  }

  return {
    BroadcastChannel,
    /** Resolves when what was posted has arrived. */
    arrived: () => Promise.resolve(),
    /** Messages wait from now on. */
    hold: () => void (late = []),
    /** What waited arrives. */
    release(): void {
      for (const deliver of late ?? []) deliver()
      late = null
    },
  }
}
