/** The projects of the signed-in person. */
import { json } from '@/api/client.ts'

export interface Project {
  id: string
  name: string
  /** ISO 8601. */
  createdAt: string
}

export function listProjects(options: { signal?: AbortSignal } = {}): Promise<Project[]> {
  return json<Project[]>('/projects', options)
}

export function createProject(
  project: Pick<Project, 'name'>,
  options: { signal?: AbortSignal } = {},
): Promise<Project> {
  return json<Project>('/projects', { ...options, method: 'POST', body: project })
}
