/**
 * A picture of every screen, for `npm run screenshots`: light and dark, narrow and wide. The two
 * that README.md shows go into docs/images, all others into a folder that git ignores.
 */
import { test } from './fixtures.ts'
import { screens } from './screens.ts'

for (const { name, open } of screens) {
  test(name, async ({ page, mock }) => {
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await open(page, mock)
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        const isShown = name === 'lab-compare' && width === 1280
        const path = isShown
          ? `docs/images/lab-${colorScheme}.png`
          : `screenshots/${name}-${colorScheme}-${width}.png`
        await page.screenshot({ path, fullPage: true })
      }
    }
  })
}
