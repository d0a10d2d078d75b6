/**
 * A picture of every screen, for `npm run screenshots`: light and dark, narrow and wide. The two
 * that README.md shows go into docs/images, and what is drawn in them to the start of the app; all
 * others go into a folder that git ignores.
 */
import { writeFileSync } from 'node:fs'
import type { Locator, Page } from '@playwright/test'
import { format } from 'prettier'
import { test } from './fixtures.ts'
import type { Mock } from './fixtures.ts'
import { arriveAs, screens } from './screens.ts'

/** Pixels of the panel around the drawings. */
const MARGIN = 20

for (const { name, as, open } of screens) {
  test(name, async ({ page, mock }) => {
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await arriveAs(page, as)
    await open(page, mock)
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        const path = `screenshots/${name}-${colorScheme}-${width}.png`
        await page.screenshot({ path, fullPage: true })
      }
    }
  })
}

test.describe('for README.md and the start', () => {
  test.use({ viewport: { width: 1000, height: 1_600 }, deviceScaleFactor: 2 })

  const openLab = async (name: string, page: Page, mock: Mock) => {
    await arriveAs(page, 'demo')
    await screens.find((screen) => screen.name === name)!.open(page, mock)
  }

  test('the comparison of the lab', async ({ page, mock }) => {
    await openLab('lab-rivals', page, mock)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      const { x, y, width, height } = (await page.locator('figure').boundingBox())!
      const clip = {
        x: x - MARGIN,
        y: y - MARGIN / 4,
        width: width + 2 * MARGIN,
        height: height + MARGIN,
      }
      await page.screenshot({ path: `docs/images/lab-${colorScheme}.png`, clip })
    }
  })

  test('the run at the start of the app', async ({ page, mock }) => {
    await openLab('lab-compare', page, mock)
    const recorded = {
      silent: await readDrawing(page.locator('.trace-silent')),
      classic: await readDrawing(page.locator('.trace-classic')),
    }
    const text = await format(JSON.stringify(recorded), { parser: 'json', printWidth: 100 })
    writeFileSync('src/components/comparison.json', text)
  })
})

/** What the drawing of a client shows, in milliseconds. */
function readDrawing(section: Locator) {
  return section.evaluate((section) => {
    const all = (selector: string, within: Element = section) => [
      ...within.querySelectorAll(selector),
    ]
    const at = (element: Element, name: string) => Number(element.getAttribute(name))
    const ticks = all('.trace-tick[text-anchor=middle]').map((tick) => ({
      x: at(tick, 'x'),
      time: Number(tick.textContent!.replace(/\D/g, '')),
    }))
    const [first, last] = [ticks[0]!, ticks.at(-1)!]
    const timeAt = (x: number) => Math.round(((x - first.x) / (last.x - first.x)) * last.time)
    const barsOf = (row: Element) =>
      all('rect', row).map((bar) => ({
        kind: bar.getAttribute('class')!.replace('trace-', ''),
        from: timeAt(at(bar, 'x')),
        to: timeAt(at(bar, 'x') + at(bar, 'width')),
      }))
    const end = all('path.trace-end')[0]
      ?.getAttribute('d')
      ?.match(/[\d.]+/)?.[0]
    return {
      headline: all('.trace-headline')[0]!.textContent!.trim(),
      refreshes: all('.trace-refreshes > g').flatMap((row) => barsOf(row)),
      lanes: all('.trace-lane').map(barsOf),
      signedOutAt: end === undefined ? null : timeAt(Number(end)),
    }
  })
}
