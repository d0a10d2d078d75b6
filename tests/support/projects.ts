/** Projects as the API answers them. */
import type { Page } from '@/api/pages.ts'
import type { Project } from '@/api/projects.ts'

let serial = 1000

export function projectNamed(name: string, more: Partial<Project> = {}): Project {
  serial += 1
  const createdAt = '2026-01-02T03:04:05Z'
  return {
    id: String(serial),
    name,
    description: '',
    dueOn: null,
    status: 'planned',
    createdAt,
    ...more,
  }
}

/** One page that is all there is. */
export function projectPage(...items: Project[]): Page<Project> {
  return { items, total: items.length, page: 1 }
}
