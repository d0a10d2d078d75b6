/** A picture of every screen, for `npm run screenshots`: light and dark, narrow and wide. */
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
        const path = `screenshots/${name}-${colorScheme}-${width}.png`
        await page.screenshot({ path, fullPage: true })
      }
    }
  })
}
