/** Lists that come in parts. */

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
