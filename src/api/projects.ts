/** The projects of the signed-in person. */
import { api, json } from '@/api/client.ts'
import { listPage } from '@/api/pages.ts'
import type { Page } from '@/api/pages.ts'

export interface Project {
  id: string
  name: string
  description: string
  /** A day such as `2026-12-31`. */
  dueOn: string | null
  status: 'planned' | 'active' | 'done'
  /** ISO 8601. */
  createdAt: string
}

/** In words, in the order that they come in. */
export const STATUSES: Record<Project['status'], string> = {
  planned: 'Planned',
  active: 'Active',
  done: 'Done',
}

/** Orders of a list, in words. Without one, the newest come first. */
export const SORTS = { name: 'Name', due: 'Due date' } as const

/** What of the list is asked for. */
export interface ProjectQuery {
  /** Part of a name. */
  q?: string
  status?: Project['status']
  sort?: keyof typeof SORTS
  /** From 1. */
  page?: number
}

export type ProjectChanges = Partial<Omit<Project, 'id' | 'createdAt'>>

interface Options {
  signal?: AbortSignal
}

export function listProjects(
  query: ProjectQuery = {},
  options: Options = {},
): Promise<Page<Project>> {
  return listPage<Project>('/projects', { ...options, query })
}

export function getProject(id: string, options: Options = {}): Promise<Project> {
  return json<Project>(pathOf(id), options)
}

export function createProject(project: ProjectChanges & { name: string }): Promise<Project> {
  return json<Project>('/projects', { method: 'POST', body: project })
}

export function updateProject(id: string, changes: ProjectChanges): Promise<Project> {
  return json<Project>(pathOf(id), { method: 'PATCH', body: changes })
}

export async function deleteProject(id: string): Promise<void> {
  await api(pathOf(id), { method: 'DELETE' })
}

function pathOf(id: string): string {
  return `/projects/${encodeURIComponent(id)}`
}
