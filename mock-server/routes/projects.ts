/**
 * The demo resource: each user's own projects.
 */
import { randomUUID } from 'node:crypto'
import { getRouterParam } from 'h3'
import type { H3 } from 'h3'
import * as v from 'valibot'
import type { MockServer } from '../app.ts'
import { readJson } from '../body.ts'
import { apiError } from '../errors.ts'

export interface Project {
  id: string
  name: string
  /** ISO 8601. */
  createdAt: string
}

/** Per user. */
const MAX_PROJECTS = 1000

const NewProjectSchema = v.object({
  name: v.pipe(v.string(), v.trim(), v.nonEmpty('Enter a name'), v.maxLength(100)),
})

/** The projects of all users. Who has none yet finds some to begin with. */
export function createProjects(now: () => number) {
  const projectsByUser = new Map<string, Project[]>()

  function of(userId: string): Project[] {
    let projects = projectsByUser.get(userId)
    if (!projects) projectsByUser.set(userId, (projects = seed(now())))
    return projects
  }

  /** @throws HTTPError 409 `too_many_projects` */
  function add(userId: string, name: string): Project {
    if (of(userId).length >= MAX_PROJECTS) {
      throw apiError(409, 'too_many_projects', `You may have ${MAX_PROJECTS} projects at most.`)
    }
    const project = { id: randomUUID(), name, createdAt: new Date(now()).toISOString() }
    of(userId).push(project)
    return project
  }

  return { of, add, clear: () => projectsByUser.clear() }
}

export function registerProjects(app: H3, { access, projects }: MockServer): void {
  app.get('/api/projects', async (event) => projects.of((await access.requireUser(event)).id))

  app.get('/api/projects/:id', async (event) => {
    const user = await access.requireUser(event)
    const id = getRouterParam(event, 'id')
    const project = projects.of(user.id).find((project) => project.id === id)
    if (!project) throw apiError(404, 'not_found', 'You have no project with this id.')
    return project
  })

  app.post('/api/projects', async (event) => {
    const user = await access.requireUser(event)
    const { name } = await readJson(event, NewProjectSchema)
    event.res.status = 201
    return projects.add(user.id, name)
  })
}

function seed(now: number): Project[] {
  const createdAt = new Date(now).toISOString()
  return ['Website relaunch', 'Mobile app', 'Customer survey'].map((name, index) => ({
    id: `project-${index + 1}`,
    name,
    createdAt,
  }))
}
