/** What views query of the projects, and the keys that the answers are cached by. */
import { defineQueryOptions } from '@pinia/colada'
import { getProject, listProjects } from '@/api/projects.ts'
import type { ProjectQuery } from '@/api/projects.ts'

/** All that has to do with projects begins with this key: invalidate it after a change. */
export const PROJECTS = ['projects']

export const projectList = defineQueryOptions(({ page = 1, ...rest }: ProjectQuery) => ({
  key: [...PROJECTS, 'list', { ...rest, page }],
  query: ({ signal }) => listProjects({ ...rest, page }, { signal }),
}))

export const projectById = defineQueryOptions((id: string) => ({
  key: [...PROJECTS, 'one', id],
  query: ({ signal }) => getProject(id, { signal }),
}))
