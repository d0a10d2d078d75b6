/**
 * Unsaved changes of the forms in view. Who has any is asked before they leave the page or sign out
 * (LeaveDialog.vue), for as long as their session lives: after it there is nothing to choose.
 */
import { computed, onScopeDispose, shallowReactive, shallowRef } from 'vue'
import type { Ref } from 'vue'

interface Form {
  isChanged: Readonly<Ref<boolean>>
  discard: () => void
}

const forms = shallowReactive(new Set<Form>())

export const hasUnsavedChanges = computed(() => [...forms].some(({ isChanged }) => isChanged.value))

/**
 * In a form: asks before the page is left while `isChanged`. `discard` takes the changes back; it is
 * called when the person leaves all the same.
 *
 * @example useUnsavedChanges(isChanged, () => Object.assign(typed, saved.value))
 */
export function useUnsavedChanges(isChanged: Readonly<Ref<boolean>>, discard: () => void): void {
  const form = { isChanged, discard }
  forms.add(form)
  onScopeDispose(() => forms.delete(form))
}

interface Question {
  answered: Promise<boolean>
  answer: (leaves: boolean) => void
}

const question = shallowRef<Question | null>(null)

export const isAskedToLeave = computed(() => question.value !== null)

/**
 * Resolves to whether what is in view may go: at once if nothing is unsaved, else as the person says.
 * Await it before anything that takes forms away, such as a sign-out.
 */
export async function confirmLeave(): Promise<boolean> {
  if (!hasUnsavedChanges.value) return true
  question.value ??= ask()
  return question.value.answered
}

function ask(): Question {
  let answer!: Question['answer']
  const answered = new Promise<boolean>((resolve) => (answer = resolve))
  return { answered, answer }
}

/** The answer to the question, if there is one. */
export function answerLeave(leaves: boolean): void {
  if (!question.value) return
  if (leaves) for (const { discard } of forms) discard()
  question.value.answer(leaves)
  question.value = null
}

/** The session has ended: the forms go, and nobody is asked. */
export function forgetUnsavedChanges(): void {
  answerLeave(false)
  forms.clear()
}
