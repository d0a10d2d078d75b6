/** The list of deliberate bugs fits the code of today. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { bugs } from './bugs.ts'

it.each(Object.entries(bugs))('the bugs of %s replace what is there once', (file, list) => {
  const code = readFileSync(`src/auth/${file}`, 'utf8')
  const unfit = list.filter(({ from }) => code.split(from).length !== 2)
  expect(unfit.map(({ id }) => id)).toEqual([])
})
