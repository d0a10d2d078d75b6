import { effectScope } from 'vue'
import { describe, expect, it } from 'vitest'
import { SessionEndedError } from '@/auth/index.ts'
import { useResource } from '@/composables/useResource.ts'

interface Load {
  signal: AbortSignal
  resolve: (value: string) => void
  reject: (reason: unknown) => void
}

/** A resource whose every load the test brings to its end. */
function createResource() {
  const loads: Load[] = []
  const scope = effectScope()
  const resource = scope.run(() =>
    useResource<string>(
      ({ signal }) =>
        new Promise((resolve, reject) => void loads.push({ signal, resolve, reject })),
    ),
  )!
  const load = (index: number) => loads[index]!
  return { load, loads, resource, leave: () => scope.stop() }
}

async function settled() {
  await new Promise((resolve) => setImmediate(resolve))
}

describe('useResource', () => {
  it('loads at once', async () => {
    const { load, resource } = createResource()
    expect(resource.status.value).toBe('loading')

    load(0).resolve('one')
    await settled()

    expect(resource.status.value).toBe('ready')
    expect(resource.data.value).toBe('one')
  })

  it('tells the error, and forgets it with the next load', async () => {
    const { load, resource } = createResource()
    const failure = new Error('no')
    load(0).reject(failure)
    await settled()
    expect(resource.status.value).toBe('error')
    expect(resource.error.value).toBe(failure)

    void resource.load()

    expect(resource.status.value).toBe('loading')
    expect(resource.error.value).toBe(null)
  })

  it('keeps the data while they are loaded again', async () => {
    const { load, resource } = createResource()
    load(0).resolve('one')
    await settled()

    void resource.load()

    expect(resource.data.value).toBe('one')
    expect(resource.status.value).toBe('loading')
  })

  it('aborts the load that a new one takes the place of', () => {
    const { load, resource } = createResource()

    void resource.load()

    expect(load(0).signal.aborted).toBe(true)
    expect(load(1).signal.aborted).toBe(false)
  })

  it('takes the answer of the latest load, also where an earlier one does not mind its signal', async () => {
    const { load, resource } = createResource()
    void resource.load()
    load(1).resolve('two')
    await settled()

    load(0).resolve('one')
    await settled()

    expect(resource.data.value).toBe('two')
  })

  it('does not take the failure of an earlier load for its own', async () => {
    const { load, resource } = createResource()
    void resource.load()

    load(0).reject(new Error('too late'))
    await settled()

    expect(resource.status.value).toBe('loading')
    expect(resource.error.value).toBe(null)
  })

  it('aborts when its view goes', () => {
    const { load, leave } = createResource()

    leave()

    expect(load(0).signal.aborted).toBe(true)
  })

  it('takes the end of the session for no error', async () => {
    const { load, resource } = createResource()

    load(0).reject(new SessionEndedError('expired'))
    await settled()

    expect(resource.error.value).toBe(null)
    expect(resource.status.value).toBe('loading')
  })

  it('does not load again when the session has ended', async () => {
    const { load, loads } = createResource()

    load(0).reject(new SessionEndedError('expired'))
    await settled()

    expect(loads).toHaveLength(1)
  })

  it('loads again when the same person has signed in anew, and not when somebody else has', async () => {
    const [same, other] = [createResource(), createResource()]
    same.load(0).reject(new SessionEndedError('replaced'))
    other.load(0).reject(new SessionEndedError('replaced'))
    other.leave()
    await settled()
    expect([same.loads.length, other.loads.length]).toEqual([2, 1])
    same.load(1).resolve('hers')
    await settled()
    expect(same.resource.data.value).toBe('hers')
  })

  it('does not load for ever what is told to be replaced time and again', async () => {
    let loads = 0
    const kept = Promise.reject<string>(new SessionEndedError('replaced'))
    effectScope().run(() =>
      useResource(() => ((loads += 1), loads < 100 ? kept : Promise.resolve(''))),
    )
    await settled()
    expect(loads).toBe(2)
  })
})
