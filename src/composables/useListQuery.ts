/**
 * The state of a list, kept in the address: what is searched for, filters, the order and the page. A
 * reload keeps it, a link shares it, and a step back leads to the list that was seen before.
 */
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'

/** Milliseconds without a key pressed, after which the search begins. */
const PAUSE = 300

/** Parameters with a fixed set of values, such as `{ sort: ['name', 'due'] }`. */
type Choices = Record<string, readonly string[]>

/** Undefined where the address has no such parameter, or a value that does not exist. */
type Chosen<C extends Choices> = { [Name in keyof C]?: C[Name][number] | undefined }

interface Search {
  q?: string | undefined
  /** From 1. */
  page: number
}

/**
 * ```ts
 * const { state, typed, search, change } = useListQuery({ status: ['planned', 'done'], sort: ['name'] })
 * const projects = useQuery(() => projectList(state.value))
 * ```
 * `typed` is for the `v-model` of a search field: the search begins after a pause, or at once by
 * `search()`. `change({ status: 'done' })` filters. Both lead to page 1, and keep all other parameters.
 */
export function useListQuery<const C extends Choices>(choices: C) {
  const router = useRouter()
  const route = useRoute()

  const page = route.matched.at(-1)
  /** A page that is being left, or kept alive, must not take the address of another for its own. */
  const isHere = () => route.matched.at(-1) === page
  const query = shallowRef(route.query)
  watch(
    () => route.query,
    (next) => void (isHere() && (query.value = next)),
    { flush: 'sync' },
  )
  const valueOf = (name: string) => [query.value[name]].flat()[0] ?? ''

  const state = computed((): Chosen<C> & Search => {
    const chosen = Object.entries(choices).map(([name, values]) => [
      name,
      values.find((value) => value === valueOf(name)),
    ])
    return {
      ...(Object.fromEntries(chosen) as Chosen<C>),
      q: valueOf('q') || undefined,
      page: Math.max(1, Math.floor(Number(valueOf('page'))) || 1),
    }
  })

  const typed = ref(state.value.q ?? '')
  watch(
    () => state.value.q ?? '',
    (q) => void (typed.value.trim() !== q && (typed.value = q)),
  )

  let pause: ReturnType<typeof setTimeout> | undefined
  onScopeDispose(() => clearTimeout(pause))
  watch(typed, () => {
    clearTimeout(pause)
    pause = setTimeout(search, PAUSE)
  })

  /** Goes to what was typed, unless it is there already. */
  function search(): void {
    clearTimeout(pause)
    if (typed.value.trim() === (state.value.q ?? '')) return
    // A step back leads to the list without a search, and not through every word on the way.
    go({}, !!state.value.q)
  }

  function change(chosen: Chosen<C>): void {
    clearTimeout(pause)
    go(chosen, false)
  }

  function go(chosen: Chosen<C>, replace: boolean): void {
    if (!isHere()) return
    const q = typed.value.trim() || undefined
    void router.push({ query: { ...query.value, ...chosen, q, page: undefined }, replace })
  }

  return { state, typed, search, change }
}
