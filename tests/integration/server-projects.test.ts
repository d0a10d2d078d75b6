/**
 * The example resource of the mock server: its list, its records, and whose they are.
 */
import { describe, expect, it } from 'vitest'
import { createHarness, outcome } from '../support/mock-server.ts'

const PROJECTS = '/api/projects'
const FIRST = '/api/projects/1001'

async function setUp() {
  const harness = createHarness()
  const { accessToken: token } = await harness.signIn('demo')
  const { accessToken: adminToken } = await harness.signIn('admin')
  const get = async (path: string, as = token) => (await harness.call(path, { token: as })).json()
  const add = (json: unknown, as = token) => harness.post(PROJECTS, { token: as, json })
  const change = (path: string, json: unknown, as = token) =>
    harness.call(path, { method: 'PATCH', token: as, json })
  const remove = (path: string, as = token) => harness.call(path, { method: 'DELETE', token: as })
  return { ...harness, token, adminToken, get, add, change, remove }
}

const namesOf = ({ items }: { items: { name: string }[] }) => items.map(({ name }) => name)

it.each([
  ['GET', PROJECTS],
  ['POST', PROJECTS],
  ['GET', FIRST],
  ['PATCH', FIRST],
  ['DELETE', FIRST],
])('%s %s is closed without a token', async (method, path) => {
  const { call } = createHarness()
  expect(await outcome(call(path, { method }))).toBe('401 access_token_missing')
})

describe('the list', () => {
  it('has three pages to begin with, the newest project first', async () => {
    const { get } = await setUp()
    const pages = [
      await get(PROJECTS),
      await get(`${PROJECTS}?page=2`),
      await get(`${PROJECTS}?page=3`),
    ]

    expect(pages.map(({ items, total, page }) => [items.length, total, page])).toEqual([
      [10, 23, 1],
      [10, 23, 2],
      [3, 23, 3],
    ])
    const all = pages.flatMap(({ items }) => items)
    expect(new Set(all.map(({ id }) => id)).size).toBe(23)
    const times = all.map(({ createdAt }) => createdAt)
    expect(times).toEqual([...times].sort().reverse())
    expect(all[0]).toEqual({
      id: '1001',
      name: 'Website relaunch',
      description: expect.any(String),
      dueOn: '2026-01-13',
      status: 'active',
      createdAt: '2025-12-31T22:04:48.000Z',
    })
  })

  it('is searched by name, in capitals or not', async () => {
    const { get } = await setUp()
    const found = await get(`${PROJECTS}?q=%20WEBSITE`)
    expect(found).toMatchObject({ total: 2, page: 1 })
    expect(namesOf(found)).toEqual(['Website relaunch', 'Website in French'])
    expect(await get(`${PROJECTS}?q=nothing`)).toEqual({ items: [], total: 0, page: 1 })
  })

  it('is filtered by status, together with a search', async () => {
    const { get } = await setUp()
    const found = await get(`${PROJECTS}?status=done`)
    expect(found.total).toBe(7)
    expect(new Set(found.items.map(({ status }: { status: string }) => status))).toEqual(
      new Set(['done']),
    )
    expect(await get(`${PROJECTS}?status=done&q=office`)).toMatchObject({ total: 0 })
  })

  it('is sorted by name, or by due date with those last that have none', async () => {
    const { get } = await setUp()
    expect(namesOf(await get(`${PROJECTS}?sort=name`)).slice(0, 3)).toEqual([
      'Accessibility audit',
      'Annual report',
      'Backup drill',
    ])
    const pages = [1, 2, 3].map((page) => get(`${PROJECTS}?sort=due&page=${page}`))
    const due = (await Promise.all(pages)).flatMap(({ items }) =>
      items.map(({ dueOn }: { dueOn: string | null }) => dueOn),
    )
    const dated = due.filter((dueOn) => dueOn !== null)
    expect(due).toEqual([...[...dated].sort(), ...Array(8).fill(null)])
  })

  it.each(['status=late', 'sort=size', 'sort=', 'status=__proto__'])(
    'takes no notice of ?%s',
    async (query) => {
      const { get } = await setUp()
      expect(await get(`${PROJECTS}?${query}`)).toEqual(await get(PROJECTS))
    },
  )

  it('has nothing on a page after the last', async () => {
    const { get } = await setUp()
    expect(await get(`${PROJECTS}?page=4`)).toEqual({ items: [], total: 23, page: 4 })
  })

  it.each(['0', '-1', '1.5', 'x', '', '1e999'])('takes ?page=%s for the first', async (page) => {
    const { get } = await setUp()
    expect(await get(`${PROJECTS}?page=${page}`)).toMatchObject({ page: 1 })
  })
})

describe('a project', () => {
  it('can be added, and comes first', async () => {
    const { add, get } = await setUp()
    const response = await add({ name: '  Tea ', id: 'mine', createdAt: 'now' })
    const project = await response.json()

    expect(response.status).toBe(201)
    expect(project).toEqual({
      id: expect.not.stringMatching('mine'),
      name: 'Tea',
      description: '',
      dueOn: null,
      status: 'planned',
      createdAt: '2026-01-01T00:00:00.000Z',
    })
    expect(await get(`${PROJECTS}/${project.id}`)).toEqual(project)
    expect((await get(PROJECTS)).items[0]).toEqual(project)
  })

  it('changes in the fields that are sent, and in no other', async () => {
    const { change, get } = await setUp()
    const before = await get(FIRST)
    const changes = { description: 'New', dueOn: null, status: 'done' }
    const answer = await (await change(FIRST, { ...changes, id: 'mine' })).json()

    expect(answer).toEqual({ ...before, ...changes })
    expect(await get(FIRST)).toEqual(answer)
  })

  it('can be deleted', async () => {
    const { call, get, remove, token } = await setUp()
    const response = await remove(FIRST)

    expect([response.status, await response.text()]).toEqual([204, ''])
    expect(await outcome(call(FIRST, { token }))).toBe('404 not_found')
    expect(await outcome(remove(FIRST))).toBe('404 not_found')
    expect(await get(PROJECTS)).toMatchObject({ total: 22 })
  })

  it('belongs to one user', async () => {
    const { add, adminToken, call, change, get, remove } = await setUp()
    const { id } = await (await add({ name: 'Tea' })).json()
    const path = `${PROJECTS}/${id}`

    expect(await (await call(path, { token: adminToken })).json()).toEqual({
      status: 404,
      message: 'You have no project with this id.',
      data: { code: 'not_found' },
    })
    expect(await outcome(change(path, { name: 'Mine' }, adminToken))).toBe('404 not_found')
    expect(await outcome(remove(path, adminToken))).toBe('404 not_found')
    expect(await get(PROJECTS, adminToken)).toMatchObject({ total: 23 })
    expect(await get(path)).toMatchObject({ name: 'Tea' })
  })

  it('is as at start after a reset', async () => {
    const { change, get, post, remove, signIn } = await setUp()
    const before = await get(PROJECTS)
    await change(FIRST, { name: 'Tea' })
    await remove('/api/projects/1002')
    await post('/api/__mock/reset')

    const { accessToken } = await signIn('demo')
    expect(await get(PROJECTS, accessToken)).toEqual(before)
  })

  it.each(['nothing', '__proto__', '%2e%2e', '%00', 'a%2Fb'])('is not called %s', async (id) => {
    const { call, token } = await setUp()
    expect(await outcome(call(`${PROJECTS}/${id}`, { token }))).toBe('404 not_found')
  })
})

describe('S5: a project is refused', () => {
  it.each<[string, unknown, Record<string, string>]>([
    ['no name', {}, { name: 'Enter a name' }],
    ['an empty name', { name: '' }, { name: 'Enter a name' }],
    ['a name of spaces', { name: '   ' }, { name: 'Enter a name' }],
    ['a name that is a number', { name: 7 }, { name: 'Invalid type: Expected string' }],
    ['a long name', { name: 'a'.repeat(101) }, { name: 'Enter 100 characters at most' }],
  ])('with %s', async (_, json, fields) => {
    const { add, change } = await setUp()
    const response = await add(json)
    expect(await response.clone().json()).toMatchObject({ data: { fields } })
    expect(await outcome(response)).toBe('400 invalid_body')
    const isChange = Object.keys(json as object).length > 0
    expect(await outcome(change(FIRST, json))).toBe(isChange ? '400 invalid_body' : '200')
  })

  it.each<[string, unknown, string]>([
    ['description', 'a'.repeat(1001), 'Enter 1,000 characters at most'],
    ['status', 'late', 'Choose planned, active or done'],
    ['dueOn', '2026-02-30', 'Enter a date that exists'],
    ['dueOn', '1.2.2026', 'Enter a date that exists'],
    ['dueOn', '2025-12-29', 'The project began after this date'],
  ])('with %s %j', async (field, value, problem) => {
    const { add, change, get } = await setUp()
    const before = await get(FIRST)
    for (const response of [
      await add({ name: 'Tea', [field]: value }),
      await change(FIRST, { name: 'Tea', [field]: value }),
    ]) {
      expect(await response.json()).toEqual({
        status: 400,
        message: `${field}: ${problem}.`,
        data: { code: 'invalid_body', fields: { [field]: problem } },
      })
    }
    expect(await get(FIRST)).toEqual(before)
    expect(await get(PROJECTS)).toMatchObject({ total: 23 })
  })

  it('with the reason for every field', async () => {
    const { add } = await setUp()
    const { data } = await (await add({ name: '', status: 'late' })).json()
    expect(Object.keys(data.fields)).toEqual(['name', 'status'])
  })

  it('as an array', async () => {
    const { add } = await setUp()
    expect(await outcome(add([{ name: 'x' }]))).toBe('400 invalid_body')
  })
})
