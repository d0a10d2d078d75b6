/** Lists that come in parts. */
import type { FetchOptions } from 'ofetch'
import { json } from '@/api/client.ts'

/** A part of a list. */
export interface Page<T> {
  items: T[]
  /** How many there are on all pages. */
  total: number
  /** From 1. */
  page: number
}

/** How many items the API puts on a page. */
export const PAGE_SIZE = 10

/**
 * `json` for a page of a list.
 *
 * @throws SyntaxError where the answer is anything else, so that the section says so and the page stays
 */
export async function listPage<T>(path: string, options?: FetchOptions<'json'>): Promise<Page<T>> {
  const page = await json<Page<T>>(path, options)
  if (!Array.isArray(page.items)) throw new SyntaxError(`${path}: the answer is no page of a list.`)
  return page
}
