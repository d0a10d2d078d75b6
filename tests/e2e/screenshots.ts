/**
 * A picture of every screen, for `npm run screenshots`: light and dark, narrow and wide. The two
 * that README.md shows go into docs/images, all others into a folder that git ignores.
 */
import { test } from './fixtures.ts'
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

test.describe('for README.md', () => {
  test.use({ viewport: { width: 800, height: 2_400 }, deviceScaleFactor: 2 })

  test('the comparison of the lab', async ({ page, mock }) => {
    await arriveAs(page, 'demo')
    await screens.find(({ name }) => name === 'lab-compare')!.open(page, mock)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      const { x, y, width, height } = (await page.locator('figure').boundingBox())!
      const clip = {
        x: x - MARGIN,
        y: y + 1,
        width: width + 2 * MARGIN,
        height: height + MARGIN / 2,
      }
      await page.screenshot({ path: `docs/images/lab-${colorScheme}.png`, clip })
    }
  })
})
