/**
 * What a person has typed into a form and not saved (R19). It is kept in sessionStorage, for them and
 * the address of the page, and is back in the form when they are: after the end of their session, a
 * reload or a crash of the tab. docs/security.md says how long it is there.
 */
import { computed, ref, watch } from 'vue'
import type { Ref } from 'vue'
import { useRoute } from 'vue-router'
import { useAuthStore } from '@/stores/auth.ts'
import { tabStorage } from '@/tabStorage.ts'

/** Milliseconds: a week. A browser may bring a tab back after months. */
const MAX_AGE = 7 * 24 * 60 * 60 * 1000
const PREFIX = 'draft:'

/** The changed fields, each with what was saved at that time. */
interface Draft {
  at: number
  fields: Record<string, { typed: unknown; saved: unknown }>
}

/**
 * In a form: `typed`, a reactive object, is what its controls show, and `saved` what the API has. Brings
 * back the draft, if there is one, and keeps it from then on: what JSON can hold, and no secret, please.
 *
 * @param name tells forms on the same page apart
 *
 * @example
 * const typed = reactive({ ...project })
 * const saved = ref({ ...project })
 * const { isChanged, notice } = useDraft(typed, saved)
 */
export function useDraft<Fields extends object>(typed: Fields, saved: Ref<Fields>, name = '') {
  const auth = useAuthStore()
  const person = auth.user?.id
  const key = keysOf(person) + useRoute().path + name
  const fieldsOf = (object: object) => object as Record<string, unknown>
  const changedFields = () =>
    Object.keys(typed).filter(
      (field) => !isSame(fieldsOf(typed)[field], fieldsOf(saved.value)[field]),
    )

  const isChanged = computed(() => changedFields().length > 0)
  const restored = ref<'no' | 'yes' | 'outdated'>('no')

  function restore(): void {
    for (const [field, draft] of Object.entries(read(key)?.fields ?? {})) {
      const now = fieldsOf(saved.value)[field]
      // Another version of the app may have written it.
      if (!Object.hasOwn(typed, field) || typeof draft?.typed !== typeof now) continue
      if (isSame(draft.typed, now)) continue
      fieldsOf(typed)[field] = draft.typed
      if (restored.value !== 'outdated')
        restored.value = isSame(draft.saved, now) ? 'yes' : 'outdated'
    }
  }

  function keep(): void {
    if (person === undefined || auth.user?.id !== person) return // R18
    const fields: Draft['fields'] = {}
    for (const field of changedFields()) {
      fields[field] = { typed: fieldsOf(typed)[field], saved: fieldsOf(saved.value)[field] }
    }
    write(key, isChanged.value ? { at: Date.now(), fields } : null)
    if (!isChanged.value) restored.value = 'no'
  }

  if (person !== undefined) restore()
  // At once: the session may end, or the tab crash, before the next tick.
  watch([() => typed, saved], keep, { deep: true, flush: 'sync', immediate: true })

  return {
    /** Whether anything is typed that is not saved. */
    isChanged,
    /** What to tell the person of a draft that is back; empty if there is nothing. */
    notice: computed(() => NOTICES[restored.value]),
  }
}

const NOTICES = {
  no: '',
  yes: 'Your unsaved changes are back.',
  outdated: 'Your unsaved changes are back. What you changed has been changed elsewhere meanwhile.',
}

/**
 * In the shell: a sign-out takes all drafts of this tab away, and whoever is signed in finds none but
 * their own (R18). The end of a session by itself takes none.
 */
export function dropDraftsOfOthers(): void {
  const auth = useAuthStore()
  watch(
    [() => auth.user?.id, () => auth.endReason],
    ([person, endReason]) => {
      if (person === undefined && endReason !== 'signed-out') return
      const own = person === undefined ? null : keysOf(person)
      for (const key of draftKeys())
        if (!own || !key.startsWith(own) || !read(key)) write(key, null)
    },
    { flush: 'sync', immediate: true },
  )
}

/** All keys of a person begin so, and no other's. */
function keysOf(person = ''): string {
  return `${PREFIX}${encodeURIComponent(person)}:`
}

function draftKeys(): string[] {
  return Object.keys(tabStorage() ?? {}).filter((key) => key.startsWith(PREFIX))
}

function read(key: string): Draft | null {
  try {
    const draft: Draft | null = JSON.parse(tabStorage()?.getItem(key) ?? 'null')
    return draft && Date.now() - draft.at < MAX_AGE ? draft : null
  } catch {
    return null
  }
}

function write(key: string, draft: Draft | null): void {
  try {
    if (draft) tabStorage()?.setItem(key, JSON.stringify(draft))
    else tabStorage()?.removeItem(key)
  } catch {
    // Storage is full. What it has of the draft stays.
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
