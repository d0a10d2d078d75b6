// @vitest-environment happy-dom
import { beforeEach, expect, it } from 'vitest'
import { defineComponent, h } from 'vue'
import { api as client } from '@/api/client.ts'
import { screen, show, signedInAs, useScreen } from '../../support/screen.ts'
import { ada } from '../../support/backend.ts'

const api = useScreen()

beforeEach(() => signedInAs(ada))

it.fails('a request without an answer fails the test, though the page swallows it', async () => {
  await client('/nowhere?page=2', { retry: 0 }).catch(() => {})
  expect(api.count('GET /api/nowhere')).toBe(1)
})

it('queries are kept, and can have answers of their own', async () => {
  api.on('GET /api/pages', 'any')
  api.on('GET /api/pages?page=2', 'second')

  const answers = [await client('/pages?page=1'), await client('/pages', { query: { page: 2 } })]

  expect(answers).toEqual(['any', 'second'])
  expect(api.sent.slice(1).map(({ query }) => query)).toEqual(['page=1', 'page=2'])
})

it('a component gets its props', () => {
  show(
    defineComponent({
      props: { name: { type: String, default: '' } },
      setup: (props) => () => h('p', `Of ${props.name}`),
    }),
    {
      name: 'Ada',
    },
  )
  expect(screen.has('Of Ada')).toBe(true)
})
