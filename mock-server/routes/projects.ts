/**
 * The example resource: each user's own projects, with search, a filter, an order, pages and field errors.
 */
import { getRouterParam, noContent } from 'h3'
import type { H3, H3Event } from 'h3'
import * as v from 'valibot'
import type { Access } from '../access.ts'
import { invalidBody, readJson } from '../body.ts'
import { apiError } from '../errors.ts'

const PAGE_SIZE = 10
/** Per user. */
const MAX_PROJECTS = 1000
const DAY = 86_400_000

const STATUSES = ['planned', 'active', 'done'] as const
const SORTS = ['name', 'due'] as const

/** What a user may change of a project. The messages are for the fields of a form. */
const fields = {
  name: v.pipe(
    v.string(),
    v.trim(),
    v.nonEmpty('Enter a name'),
    v.maxLength(100, 'Enter 100 characters at most'),
  ),
  description: v.pipe(v.string(), v.trim(), v.maxLength(1000, 'Enter 1,000 characters at most')),
  /** A day such as `2026-12-31`, or null. */
  dueOn: v.nullable(v.pipe(v.string(), v.check(isDate, 'Enter a date that exists'))),
  status: v.picklist(STATUSES, 'Choose planned, active or done'),
}
const ChangesSchema = v.partial(v.object(fields))
const NewProjectSchema = v.object({ ...ChangesSchema.entries, name: v.optional(fields.name, '') })

type Changes = v.InferOutput<typeof ChangesSchema>

export interface Project extends Required<Changes> {
  id: string
  /** ISO 8601. */
  createdAt: string
}

/** What of a list is asked for. */
interface Wanted {
  q: string
  status: Project['status'] | undefined
  /** Without one, the newest come first. */
  sort: (typeof SORTS)[number] | undefined
  page: number
}

/** Those without a date come last. */
const ORDERS: Record<(typeof SORTS)[number], (a: Project, b: Project) => number> = {
  name: (a, b) => a.name.localeCompare(b.name, 'en'),
  due: (a, b) => (a.dueOn ?? '9999').localeCompare(b.dueOn ?? '9999', 'en'),
}

/** A part of a list. */
export interface Page<T> {
  items: T[]
  /** How many there are on all pages. */
  total: number
  /** From 1. */
  page: number
}

/** The projects of all users, the newest first. Who has none yet finds some to begin with. */
export function createProjects(now: () => number, projectsByUser = new Map<string, Project[]>()) {
  function of(userId: string): Project[] {
    let projects = projectsByUser.get(userId)
    if (!projects) projectsByUser.set(userId, (projects = seed(now())))
    return projects
  }

  /** A page of those with this status whose name contains `q`, in capitals or not. */
  function find(userId: string, { q, status, sort, page }: Wanted): Page<Project> {
    const wanted = q.trim().toLowerCase()
    const found = of(userId)
      .filter(({ name }) => name.toLowerCase().includes(wanted))
      .filter((project) => !status || project.status === status)
    if (sort) found.sort(ORDERS[sort])
    const start = (page - 1) * PAGE_SIZE
    return { items: found.slice(start, start + PAGE_SIZE), total: found.length, page }
  }

  /** @throws HTTPError 404 `not_found` */
  function get(userId: string, id: string | undefined): Project {
    const project = of(userId).find((project) => project.id === id)
    if (!project) throw apiError(404, 'not_found', 'You have no project with this id.')
    return project
  }

  /** @throws HTTPError 409 `too_many_projects`, 400 `invalid_body` */
  function add(userId: string, given: v.InferOutput<typeof NewProjectSchema>): Project {
    if (of(userId).length >= MAX_PROJECTS) {
      throw apiError(409, 'too_many_projects', `You may have ${MAX_PROJECTS} projects at most.`)
    }
    const createdAt = new Date(now()).toISOString()
    const fixed = { id: crypto.randomUUID(), createdAt }
    const project: Project = { description: '', dueOn: null, status: 'planned', ...given, ...fixed }
    assertDue(project)
    of(userId).unshift(project)
    return project
  }

  /** @throws HTTPError 404 `not_found`, 400 `invalid_body` */
  function change(userId: string, id: string | undefined, changes: Changes): Project {
    const project = get(userId, id)
    assertDue({ ...project, ...changes })
    return Object.assign(project, changes)
  }

  /** @throws HTTPError 404 `not_found` */
  function remove(userId: string, id: string | undefined): void {
    const projects = of(userId)
    projects.splice(projects.indexOf(get(userId, id)), 1)
  }

  return { all: of, find, get, add, change, remove, clear: () => projectsByUser.clear() }
}

export type Projects = ReturnType<typeof createProjects>

export function registerProjects(
  app: H3,
  { access, projects }: { access: Access; projects: Projects },
): void {
  const userId = async (event: H3Event) => (await access.requireUser(event)).id
  const projectId = (event: H3Event) => getRouterParam(event, 'id')

  app.get('/api/projects', async (event) => {
    return projects.find(await userId(event), wantedOf(event.url.searchParams))
  })

  app.post('/api/projects', async (event) => {
    const user = await userId(event)
    const project = projects.add(user, await readJson(event, NewProjectSchema))
    event.res.status = 201
    return project
  })

  app.get('/api/projects/:id', async (event) => projects.get(await userId(event), projectId(event)))

  app.patch('/api/projects/:id', async (event) => {
    const user = await userId(event)
    return projects.change(user, projectId(event), await readJson(event, ChangesSchema))
  })

  app.delete('/api/projects/:id', async (event) => {
    projects.remove(await userId(event), projectId(event))
    return noContent()
  })
}

/** Whatever is no page is the first one; a status or an order that does not exist is none. */
function wantedOf(query: URLSearchParams): Wanted {
  const page = Number(query.get('page') ?? 1)
  return {
    q: query.get('q') ?? '',
    status: oneOf(STATUSES, query.get('status')),
    sort: oneOf(SORTS, query.get('sort')),
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
  }
}

function oneOf<T>(values: readonly T[], value: unknown): T | undefined {
  return values.find((one) => one === value)
}

/** A rule that only the server can check, as an example. @throws HTTPError 400 `invalid_body` */
function assertDue({ dueOn, createdAt }: Project): void {
  // It may still be the day before where the user is.
  const first = new Date(Date.parse(createdAt) - DAY).toISOString().slice(0, 10)
  if (!dueOn || dueOn >= first) return
  throw invalidBody('dueOn: The project began after this date.', {
    dueOn: 'The project began after this date',
  })
}

/** Whether this is a day of the calendar: `2026-02-30` is none. */
function isDate(text: string): boolean {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : NaN
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

const NAMES = [
  'Website relaunch',
  'Mobile app',
  'Customer survey',
  'Office move',
  'Annual report',
  'Search on all pages',
  'Accessibility audit',
  'Spring campaign',
  'Payment provider',
  'Staff handbook',
  'Data warehouse',
  'Mobile push messages',
  'Trade fair stand',
  'Newsletter',
  'Price list',
  'Single sign-on',
  'Warehouse scanner',
  'Brand colours',
  'Help centre',
  'Website in French',
  'Supplier contracts',
  'Training videos',
  'Backup drill',
]

/** When each was added: days ago, as people do it, some in a row and then none for weeks. */
const ADDED = [
  0.08, 0.9, 2.2, 4.6, 9, 11, 16, 23, 24, 31, 38, 45, 46, 60, 74, 75, 91, 104, 130, 131, 160, 190,
  220,
]
/** In how many days each is due; those that are only planned have no date yet. */
const DUE = [12, 0, 3, 26, 0, -2, 41, 0, -9, 8, 0, -30, 19, 0, -41, 63, 0, -77, 90, 0, -120, 35, 0]

/** Enough for three pages. */
function seed(now: number): Project[] {
  return NAMES.map((name, index) => {
    const status = (['active', 'planned', 'done'] as const)[index % 3]!
    return {
      id: String(1001 + index),
      name,
      description: status === 'active' ? `What “${name}” is about, and who works on it.` : '',
      dueOn:
        status === 'planned' ? null : new Date(now + DUE[index]! * DAY).toISOString().slice(0, 10),
      status,
      createdAt: new Date(now - ADDED[index]! * DAY).toISOString(),
    }
  })
}
