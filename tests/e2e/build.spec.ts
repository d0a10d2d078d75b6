/** The production build takes nothing away from components and pictures of your own. */
import { readdir, readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import { build } from 'vite'
import type { Rolldown } from 'vite'
import { expect, test } from './fixtures.ts'

const COMPONENT = `
<script>
export default {
  data: () => ({ name: 'Ada' }),
  computed: { greeting() { return 'Hello, ' + this.name } },
}
</script>
<template><label>Name <input v-model="name" /></label><p role="status">{{ greeting }}</p></template>`

const ENTRY = `
import { createApp } from 'vue'
import Own from '/own/Own.vue'
createApp(Own).mount('#app')`

test('a component with data() and v-model works in the production build', async ({ page }) => {
  await openBuilt(page)
  await expect(page.getByRole('status')).toHaveText('Hello, Ada')
  await page.getByLabel('Name').fill('Grace')
  await expect(page.getByRole('status')).toHaveText('Hello, Grace')
})

test('a picture that needs a token can be shown from a blob: address', async ({ page }) => {
  await page.goto('/')
  const width = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(40, 30)
    canvas.getContext('2d')
    const image = new Image()
    image.src = URL.createObjectURL(await canvas.convertToBlob())
    await image.decode()
    return image.naturalWidth
  })
  expect(width).toBe(40)
})

test('nothing of the demo without an installation is in the build', async () => {
  const files = await readdir('dist', { recursive: true })
  expect(files).toContain('index.html')
  expect(files.filter((file) => /sw\.js|404/.test(file))).toEqual([])
  for (const file of files.filter((file) => /\.(?:js|css|html)$/.test(file)))
    expect(await readFile(`dist/${file}`, 'utf8'), file).not.toMatch(/serviceWorker|demo-banner/)
})

/** Builds the component as `npm run build` builds the app, and opens a page that is it alone. */
async function openBuilt(page: Page): Promise<void> {
  const sources: Record<string, string> = { '/own/main.js': ENTRY, '/own/Own.vue': COMPONENT }
  const own = {
    name: 'own',
    enforce: 'pre' as const,
    resolveId: (id: string) => (id in sources ? id : null),
    load: (id: string) => sources[id] ?? null,
  }
  const output = await build({
    logLevel: 'silent',
    plugins: [own],
    build: { write: false, rolldownOptions: { input: '/own/main.js' } },
  })
  const files = (output as Rolldown.RolldownOutput).output.filter((file) => file.type === 'chunk')
  for (const { fileName, code } of files) {
    await page.route(`/${fileName}`, (route) =>
      route.fulfill({ contentType: 'text/javascript', body: code }),
    )
  }
  const entry = files.find(({ isEntry }) => isEntry)!.fileName
  const body = `<!doctype html><div id="app"></div><script type="module" src="/${entry}"></script>`
  await page.route('/own', (route) => route.fulfill({ contentType: 'text/html', body }))
  await page.goto('/own')
}
