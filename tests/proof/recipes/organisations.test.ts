// @vitest-environment happy-dom
/** The recipe for several organisations, in the place of src/api/backend.ts. */
import { useQueryCache } from '@pinia/colada'
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { beforeEach, expect, it, vi } from 'vitest'
import { api as client } from '@/api/client.ts'
import { useAuthStore } from '@/stores/auth.ts'
import { ada, grantFor } from '../../support/backend.ts'
import { projectNamed, projectPage } from '../../support/projects.ts'
import { openApp, problem, screen, settled, useScreen } from '../../support/screen.ts'
import { outcome } from '../../support/time.ts'

vi.mock('@/api/backend.ts', () => import('./organisations.ts'))

const api = useScreen()
const useCart = defineStore('cart', () => ({ items: ref<string[]>([]) }))

/** As a person of `organisation`, by a grant as this API sends it. */
const of = (organisation: string) => ({ ...grantFor(ada), organisation })
const enter = (organisation: string) => useAuthStore().login({ organisation } as never)

beforeEach(async () => {
  api.on('GET /api/projects', projectPage(projectNamed('Of north')))
  api.on('POST /api/auth/login', of('north'))
  await useAuthStore().login({ username: 'ada', password: 'secret' })
})

it('R18: the next organisation finds nothing of the last one', async () => {
  await openApp('/projects')
  useCart().items.push('a book')
  expect(screen.has('Of north')).toBe(true)

  api.on('POST /api/auth/switch', of('south'))
  const answer = api.hold('GET /api/projects')
  await enter('south')
  expect(useCart().items).toEqual([])
  await settled()
  expect(document.body.textContent).not.toContain('Of north')
  const cached = useQueryCache()
    .getEntries()
    .map(({ state }) => state.value.data)
  expect(JSON.stringify(cached)).not.toContain('Of north')
  await answer(projectPage(projectNamed('Of south')))
  expect(screen.has('Of south')).toBe(true)
})

it('R6: what was asked in the last organisation has no answer in the next', async () => {
  api.on('POST /api/auth/switch', of('south'))
  const answer = api.hold('GET /api/report')
  const report = outcome(client('/report'))
  await settled()
  await enter('south')
  await answer({ of: 'north' })
  expect(report.reason).toMatchObject({ name: 'SessionEndedError', reason: 'replaced' })
})

it('a refresh in the same organisation takes nothing away', async () => {
  useCart().items.push('a book')
  api.on('POST /api/auth/refresh', of('north'))
  await useAuthStore().refresh()
  expect(useCart().items).toEqual(['a book'])
})

it('a person who may not enter an organisation stays in theirs', async () => {
  useCart().items.push('a book')
  api.on('POST /api/auth/switch', () => problem(403))
  await expect(enter('south')).rejects.toMatchObject({ status: 403 })
  expect(useAuthStore().isAuthenticated).toBe(true)
  expect(useCart().items).toEqual(['a book'])
})
