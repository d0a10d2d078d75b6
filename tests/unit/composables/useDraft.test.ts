// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { defineComponent, effectScope, h, reactive, ref } from 'vue'
import type { Ref } from 'vue'
import { SessionEndedError } from '@/auth/index.ts'
import { dropDraftsOfOthers, useDraft } from '@/composables/useDraft.ts'
import { useAuthStore } from '@/stores/auth.ts'
import { ada, bob } from '../../support/backend.ts'
import { problem, show, signedInAs, useScreen } from '../../support/screen.ts'

const api = useScreen()

const saved = { name: 'Apollo', text: 'To the moon', tags: ['space'] }

beforeEach(async () => {
  api.on('POST /api/auth/logout', () => new Response(null, { status: 204 }))
  // As App.vue does.
  const shell = effectScope()
  shell.run(dropDraftsOfOthers)
  onTestFinished(() => shell.stop())
  await signedInAs(ada)
})

/** A form, as after a reload of the page: it finds what the API has, and what is stored in the tab. */
function openForm(has: object = saved, name?: string) {
  const typed = reactive(structuredClone(has)) as typeof saved
  const kept = ref(structuredClone(has)) as Ref<typeof saved>
  let draft!: ReturnType<typeof useDraft>
  show(
    defineComponent(() => {
      draft = useDraft(typed, kept, name)
      return () => h('p', draft.notice.value)
    }),
  )
  return {
    typed,
    kept,
    isChanged: () => draft.isChanged.value,
    notice: () => draft.notice.value,
  }
}

type Form = ReturnType<typeof openForm>

const stored = () => JSON.stringify({ ...sessionStorage })
const drafts = () => Object.keys(sessionStorage).filter((key) => key.startsWith('draft:'))

describe('R19: what was typed', () => {
  it('is back after a reload, and said to be', () => {
    openForm().typed.text = 'Half a sen'

    const { typed, isChanged, notice } = openForm()

    expect(typed).toEqual({ ...saved, text: 'Half a sen' })
    expect(isChanged()).toBe(true)
    expect(notice()).toBe('Your unsaved changes are back.')
  })

  it('is kept with each key pressed, deep inside too', () => {
    openForm().typed.tags.push('moon')

    expect(openForm().typed.tags).toEqual(['space', 'moon'])
  })

  it('leaves the other fields as the API has them now', () => {
    openForm().typed.text = 'Half a sen'

    const { typed, notice } = openForm({ ...saved, name: 'Apollo 13' })

    expect(typed).toEqual({ ...saved, name: 'Apollo 13', text: 'Half a sen' })
    expect(notice()).toBe('Your unsaved changes are back.')
  })

  it('is back, with a warning, where the same field was changed elsewhere meanwhile', () => {
    openForm().typed.text = 'Half a sen'

    const { typed, notice } = openForm({ ...saved, text: 'To Mars' })

    expect(typed.text).toBe('Half a sen')
    expect(notice()).toMatch(/changed elsewhere meanwhile/)
  })

  it('is forgotten where the API has it by now', () => {
    openForm().typed.text = 'Half a sen'

    const { isChanged, notice } = openForm({ ...saved, text: 'Half a sen' })

    expect(isChanged()).toBe(false)
    expect(notice()).toBe('')
    expect(drafts()).toEqual([])
  })

  it.each([
    ['saved', ({ typed, kept }: Form) => (kept.value = { ...typed })],
    ['taken back', ({ typed }: Form) => (typed.text = saved.text)],
  ])('is no draft once it is %s', (_, settle) => {
    openForm().typed.text = 'Half a sen'
    const form = openForm()

    settle(form)

    expect(drafts()).toEqual([])
    expect(form.notice()).toBe('')
    form.typed.text = 'Another'
    expect(form.notice()).toBe('')
  })

  it('is of one form alone, by its name', () => {
    openForm(saved, 'a').typed.text = 'Half a sen'

    expect(openForm(saved, 'b').isChanged()).toBe(false)
    expect(openForm(saved, 'a').isChanged()).toBe(true)
  })

  it('is there after the session ended by itself', async () => {
    openForm().typed.text = 'Half a sen'
    api.on('POST /api/auth/refresh', () => problem(401))
    await expect(useAuthStore().refresh()).rejects.toThrow(SessionEndedError)

    await signedInAs(ada)

    expect(openForm().typed.text).toBe('Half a sen')
  })

  it('is kept a week, and no longer', () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    openForm().typed.text = 'Half a sen'
    const week = 7 * 24 * 60 * 60 * 1000
    vi.setSystemTime(Date.now() + week - 1000)
    expect(openForm().isChanged()).toBe(true)

    vi.setSystemTime(Date.now() + week + 1000)
    expect(openForm().isChanged()).toBe(false)
  })
})

describe('R18: nobody else finds a draft', () => {
  it('once another person has signed in', async () => {
    openForm().typed.text = 'Half a sen'

    await signedInAs(bob)

    expect(stored()).not.toContain('Half a sen')
    expect(openForm().isChanged()).toBe(false)
  })

  it('whose id begins like theirs', async () => {
    await signedInAs({ ...ada, id: 'a' })
    openForm().typed.text = 'Half a sen'
    sessionStorage.setItem('cart', 'of nobody')

    await signedInAs({ ...ada, id: 'a:/' })

    expect(stored()).not.toContain('Half a sen')
    expect(stored()).toContain('of nobody')
  })

  it('after a sign-out of their own choice, which leaves nothing at once', async () => {
    openForm().typed.text = 'Half a sen'

    void useAuthStore().logout()
    expect(stored()).not.toContain('Half a sen')

    await signedInAs(ada)
    expect(openForm().isChanged()).toBe(false)
  })

  it('written by a form that is still there after its person left', async () => {
    const { typed } = openForm()
    await signedInAs(bob)

    typed.text = 'Late'

    expect(drafts()).toEqual([])
  })

  it('of a visitor, who has none', async () => {
    void useAuthStore().logout()
    const { typed, isChanged } = openForm()

    typed.text = 'Hello'

    expect(isChanged()).toBe(true)
    expect(drafts()).toEqual([])
  })
})

describe('A draft that cannot be used', () => {
  it('of another version of the app: fields that are unknown, or of another kind', () => {
    Object.assign(openForm({ ...saved, text: 1, colour: 'red' }).typed, { text: 2, colour: 'blue' })
    expect(openForm({ ...saved, text: 1, colour: 'red' }).isChanged()).toBe(true)

    expect(openForm().typed).toEqual(saved)
  })

  it.each(['', 'x', '1', '"text"', 'null', '[]', '{"at":1}', '{"at":9e99,"fields":{"text":null}}'])(
    'is none: %j',
    (text) => {
      const form = openForm()
      form.typed.text = 'Half a sen'
      const [key] = drafts()
      sessionStorage.setItem(key!, text)

      expect(openForm().typed).toEqual(saved)
    },
  )

  it('because storage is full: what it has of it stays, and nothing breaks', () => {
    const form = openForm()
    form.typed.text = 'Half'
    const full = Object.create(sessionStorage, {
      setItem: {
        value() {
          throw new DOMException('Full', 'QuotaExceededError')
        },
      },
    })
    const getter = vi.spyOn(window, 'sessionStorage', 'get').mockReturnValue(full)
    form.typed.text = 'Half a sen'
    getter.mockRestore()

    expect(form.isChanged()).toBe(true)
    expect(openForm().typed.text).toBe('Half')
  })

  it('because storage is denied: the form works without', () => {
    vi.spyOn(window, 'sessionStorage', 'get').mockImplementation(() => {
      throw new DOMException('Denied', 'SecurityError')
    })
    const form = openForm()
    form.typed.text = 'Half a sen'

    expect(form.isChanged()).toBe(true)
    void useAuthStore().logout()
  })
})
