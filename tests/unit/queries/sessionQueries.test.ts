// @vitest-environment happy-dom
import { useMutation, useMutationCache, useQuery, useQueryCache } from '@pinia/colada'
import { beforeEach, describe, expect, it } from 'vitest'
import { defineComponent, h } from 'vue'
import { SessionEndedError } from '@/auth/index.ts'
import { projectById, projectList } from '@/queries/projects.ts'
import { useAuthStore } from '@/stores/auth.ts'
import ProjectsView from '@/views/ProjectsView.vue'
import { ada, bob } from '../../support/backend.ts'
import { openApp, screen, settled, show, signedInAs, useScreen } from '../../support/screen.ts'
import { projectNamed, projectPage } from '../../support/projects.ts'

const api = useScreen()

beforeEach(() => {
  api.on('POST /api/auth/logout', () => new Response(null, { status: 204 }))
})

/** A component that stays in view when the person leaves, as App.vue does. */
function lastingQuery(query: () => Promise<string>) {
  const auth = useAuthStore()
  return defineComponent(() => {
    const { data } = useQuery({ key: ['inbox'], query, enabled: () => auth.isAuthenticated })
    return () => h('p', `Inbox: ${data.value ?? 'unknown'}`)
  })
}

const cachedTexts = () =>
  JSON.stringify(
    useQueryCache()
      .getEntries()
      .map(({ state }) => state.value),
  )

describe('R18: when the person changes', () => {
  it('the next one never sees the list of the last one', async () => {
    const seen: string[] = []
    new MutationObserver(() => seen.push(document.body.textContent ?? '')).observe(document.body, {
      childList: true,
      subtree: true,
      characterData: true,
    })
    await signedInAs(ada)
    api.on('GET /api/projects', projectPage(projectNamed('Of Ada')))
    const router = await openApp('/projects')
    await settled()
    expect(screen.has('Of Ada')).toBe(true)
    await router.push('/')
    await settled()
    seen.length = 0
    const arrive = api.hold('GET /api/projects')

    await signedInAs(bob)
    expect(cachedTexts()).not.toContain('Of Ada')
    await router.push('/projects')
    await settled()
    expect(screen.has('Loading…')).toBe(true)
    await arrive(projectPage(projectNamed('Of Bob')))

    expect(screen.has('Of Bob')).toBe(true)
    expect(seen.filter((text) => text.includes('Of Ada'))).toEqual([])
  })

  it('a list in view is loaded again, once', async () => {
    await signedInAs(ada)
    api.on('GET /api/projects', projectPage(projectNamed('Of Ada')))
    await openApp('/projects')
    await settled()
    const arrive = api.hold('GET /api/projects')

    await signedInAs(bob)
    await settled()
    expect(screen.has('Of Ada')).toBe(false)
    await arrive(projectPage(projectNamed('Of Bob')))

    expect(screen.has('Of Bob')).toBe(true)
    expect(api.count('GET /api/projects')).toBe(2)
  })

  it('an answer on its way reaches nobody', async () => {
    await signedInAs(ada)
    const arrive: ((text: string) => void)[] = []
    show(lastingQuery(() => new Promise((resolve) => arrive.push(resolve))))
    await settled()

    await signedInAs(bob)
    await settled()
    arrive[0]!('2 letters to Ada')
    await settled()

    expect(screen.has('Inbox: unknown')).toBe(true)
  })

  it('a sign-out empties the cache at once, and loads nothing', async () => {
    await signedInAs(ada)
    let loads = 0
    show(lastingQuery(async () => `${(loads += 1)} letters to Ada`))
    await settled()

    void useAuthStore().logout()
    expect(cachedTexts()).not.toContain('Ada')
    await settled()

    expect(screen.has('Inbox: unknown')).toBe(true)
    expect(loads).toBe(1)
  })

  it('no mutation keeps what was sent', async () => {
    await signedInAs(ada)
    let send!: (text: string) => void
    show(
      defineComponent(() => {
        send = useMutation({ mutation: async (text: string) => text }).mutate
        return () => h('p')
      }),
    )
    send('a letter by Ada')
    await settled()
    expect(useMutationCache().getEntries()).toHaveLength(1)

    await signedInAs(bob)

    expect(useMutationCache().getEntries()).toEqual([])
  })
})

describe('Another session of the same person', () => {
  it('keeps what is cached', async () => {
    await signedInAs(ada)
    show(lastingQuery(async () => 'a letter'))
    await settled()

    await signedInAs(ada)
    await settled()

    expect(screen.has('Inbox: a letter')).toBe(true)
  })

  it('sends a query again that was cut off, without an error', async () => {
    await signedInAs(ada)
    api.hold('GET /api/projects')
    await openApp('/projects')
    await settled()
    api.on('GET /api/projects', projectPage(projectNamed('Apollo')))

    await signedInAs(ada)
    await settled()

    expect(screen.has('Apollo')).toBe(true)
    expect(api.count('GET /api/projects')).toBe(2)
  })

  it('sends each of the queries again that it cut off', async () => {
    await signedInAs(ada)
    const paths = ['GET /api/projects', 'GET /api/projects/1', 'GET /api/projects/2']
    for (const path of paths) api.hold(path)
    const queries = [projectList({}), projectById('1'), projectById('2')]
    show(
      defineComponent(() => {
        const all = queries.map((query) => useQuery<unknown>(query))
        return () => h('p', all.map(({ data }) => (data.value ? 'here' : 'missing')).join(' '))
      }),
    )
    await settled()
    for (const path of paths) api.on(path, { items: [] })

    await signedInAs(ada)
    await settled()

    expect(screen.has('here here here')).toBe(true)
    expect(paths.map(api.count)).toEqual([2, 2, 2])
  })

  it('does not send forever what is cut off time and again', async () => {
    await signedInAs(ada)
    let loads = 0
    const kept = Promise.reject(new SessionEndedError('replaced'))
    show(lastingQuery(() => ((loads += 1), loads < 100 ? kept : Promise.resolve(''))))
    await settled()

    expect(loads).toBe(2)
  })
})

it('a view that takes the place of another while both load the same gets its answer', async () => {
  await signedInAs(ada)
  const arrive = api.hold('GET /api/projects')
  const router = await openApp('/projects')
  router.addRoute({ path: '/other', component: { render: () => h(ProjectsView) } })
  await settled()

  await router.push('/other')
  await settled()
  await arrive(projectPage(projectNamed('Of the first view')))
  await arrive(projectPage(projectNamed('Apollo')))

  expect(screen.has('Apollo')).toBe(true)
})
