/** Prints what the journeys have noted (addResult): a row for each journey, a column for each server. */
import { readFileSync } from 'node:fs'
import process from 'node:process'

interface Result {
  where: string
  server: string
  journey: string
  refreshes: number
  passed: boolean
  seconds: number
}

const lines = readFileSync(process.argv[2]!, 'utf8').split('\n').filter(Boolean)
const results = lines.map((line): Result => JSON.parse(line))
results.sort((one, other) => one.server.localeCompare(other.server))
const servers = [...new Set(results.map(({ server }) => server))]
const width = Math.max(...results.map(({ journey }) => journey.length))

console.log(
  '✓ passed, ✗ failed, and how many refreshes reached the server. Blank: is not run there.',
)
for (const where of ['Chromium', 'in process']) {
  const here = results.filter((result) => result.where === where)
  const journeys = [...new Set(here.map(({ journey }) => journey))]
  const of = (server: string) => here.filter((result) => result.server === server)
  printRow(`\n${where}`, servers)
  for (const journey of journeys) {
    const cells = servers.map((server) => {
      const tries = of(server).filter((result) => result.journey === journey)
      return tries.map(({ passed, refreshes }) => `${passed ? '✓' : '✗'} ${refreshes}`).join(', ')
    })
    printRow(journey, cells)
  }
  printRow(
    'seconds',
    servers.map((server) => seconds(of(server))),
  )
}

function printRow(journey: string, cells: string[]): void {
  const widths = servers.map(({ length }) => Math.max(length, 3))
  const padded = cells.map((cell, index) => cell.padEnd(widths[index]!))
  console.log(`${journey.padEnd(width)}  ${padded.join('  ')}`.trimEnd())
}

function seconds(of: Result[]): string {
  return of.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(0)
}
