// @vitest-environment happy-dom
import { useQuery, useQueryCache } from '@pinia/colada'
import { beforeEach, describe, expect, it } from 'vitest'
import { defineComponent, h } from 'vue'
import ResourceSection from '@/components/ResourceSection.vue'
import { api as client } from '@/api/client.ts'
import { ada } from '../../support/backend.ts'
import {
  click,
  problem,
  screen,
  settled,
  show,
  signedInAs,
  useScreen,
  words,
} from '../../support/screen.ts'

const api = useScreen()
const PATH = 'GET /api/queue'
const key = ['queue']
const PROBLEM = 'The server has a problem. Try again in a moment.'

/** A region that counts, and is loaded again by `poll`. */
async function open(props: { fresh?: boolean } = {}) {
  await signedInAs(ada)
  api.on(PATH, { waiting: 7 })
  show(
    defineComponent(() => {
      const query = useQuery({
        key,
        query: () => client<{ waiting: number }>('/queue', { retry: 0 }),
      })
      const shown = ({ data }: { data: { waiting: number } }) => h('p', `${data.waiting} waiting`)
      return () => h(ResourceSection, { title: 'Queue', query, ...props }, { default: shown })
    }),
  )
  await settled()
  expect(seen()).toEqual(['Queue', '7 waiting'])
}

async function poll() {
  useQueryCache()
    .invalidateQueries({ key })
    .catch(() => {})
  await settled()
}

const seen = () =>
  [...document.querySelectorAll('h2, p, button')].map(words).filter((text) => text !== '')

describe('R19: a region that is polled', () => {
  it('keeps its data in view while the API fails, beside the error', async () => {
    await open()
    const data = document.querySelector('p:last-child')
    api.on(PATH, () => problem(503))

    await poll()

    expect(seen()).toEqual(['Queue', PROBLEM, 'Retry', '7 waiting'])
    expect(data!.isConnected).toBe(true)
  })

  it('does not flicker: the error stays until it is known what comes', async () => {
    await open()
    api.on(PATH, () => problem(503))
    await poll()
    const arrive = api.hold(PATH)

    await poll()
    expect(seen()).toEqual(['Queue', PROBLEM, 'Retry', '7 waiting'])

    await arrive({ waiting: 8 })
    expect(seen()).toEqual(['Queue', '8 waiting'])
  })

  it('says that it tries again when it is told to', async () => {
    await open()
    api.on(PATH, () => problem(503))
    await poll()
    const arrive = api.hold(PATH)

    await click(screen.button('Retry'))
    expect(seen()).toEqual(['Queue', '7 waiting'])
    expect(screen.region('Queue').getAttribute('aria-busy')).toBe('true')

    await arrive(problem(503))
    expect(seen()).toEqual(['Queue', PROBLEM, 'Retry', '7 waiting'])
  })
})

describe('A region whose data have to be fresh', () => {
  beforeEach(() => open({ fresh: true }))

  it('keeps them in view while they are loaded again', async () => {
    api.hold(PATH)

    await poll()

    expect(seen()).toEqual(['Queue', '7 waiting'])
  })

  it('takes them away when that fails, and does not bring them back on the way', async () => {
    api.on(PATH, () => problem(503))
    await poll()
    expect(seen()).toEqual(['Queue', PROBLEM, 'Retry'])
    const arrive = api.hold(PATH)

    await poll()
    expect(seen()).toEqual(['Queue', 'Loading…'])

    await arrive({ waiting: 8 })
    expect(seen()).toEqual(['Queue', '8 waiting'])
  })
})
