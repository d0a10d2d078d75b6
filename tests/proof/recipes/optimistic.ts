import { useMutation, useQueryCache } from '@pinia/colada'
import { updateProject } from '@/api/projects.ts'
import type { Project } from '@/api/projects.ts'
import { PROJECTS, projectById } from '@/queries/projects.ts'
import { useInvalidate } from '@/queries/useInvalidate.ts'

/** Shows the new status of a project at once, and the old one again if it could not be saved. */
export function useSetStatus() {
  const cache = useQueryCache()
  const invalidate = useInvalidate()
  return useMutation({
    mutation: ({ id, status }: Pick<Project, 'id' | 'status'>) => updateProject(id, { status }),
    onMutate({ id, status }) {
      const { key } = projectById(id)
      cache.cancelQueries({ key }) // Its answer would bring back the old status.
      const before = cache.getQueryData(key)
      if (before) cache.setQueryData(key, { ...before, status })
      return { key, before, shown: cache.getQueryData(key) }
    },
    onError(_error, _change, { key, before, shown }) {
      // Unless another change came after this one, or the person has left.
      if (key && before && cache.getQueryData(key) === shown) cache.setQueryData(key, before)
    },
    onSettled: () => invalidate(PROJECTS),
  })
}
