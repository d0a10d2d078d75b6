// @vitest-environment happy-dom
import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'

const html = document.documentElement
const [, script] = /<script>([^]*?)<\/script>/.exec(readFileSync('index.html', 'utf8'))!

beforeEach(() => {
  vi.resetModules()
  localStorage.clear()
  delete html.dataset.theme
  document.head.innerHTML = ['light', 'dark']
    .map((scheme) => `<meta name="theme-color" data-scheme="${scheme}">`)
    .join('')
})

/** As a page that is loaded: the script of index.html first, then the app. */
async function load() {
  new Function(script!)()
  const painted = html.dataset.theme
  const { followTheme, theme } = await import('@/composables/theme.ts')
  followTheme()
  return { painted, theme }
}

const bars = () =>
  [...document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')].map(
    ({ media }) => media,
  )

describe('The theme', () => {
  it('is that of the system until somebody chooses', async () => {
    const { painted, theme } = await load()

    expect([painted, theme.value, html.dataset.theme]).toEqual([undefined, 'system', undefined])
    expect(bars()).toEqual(['(prefers-color-scheme: light)', '(prefers-color-scheme: dark)'])
    expect(localStorage.length).toBe(0)
  })

  it('is kept, and there before the app is when the page is loaded again', async () => {
    const first = await load()
    first.theme.value = 'dark'
    await nextTick()
    expect(html.dataset.theme).toBe('dark')
    expect(bars()).toEqual(['not all', 'all'])

    delete html.dataset.theme
    vi.resetModules()
    const { painted, theme } = await load()

    expect([painted, theme.value]).toEqual(['dark', 'dark'])
    expect(bars()).toEqual(['not all', 'all'])
  })

  it('follows the system again when asked to', async () => {
    localStorage.setItem('theme', 'light')
    const { theme } = await load()

    theme.value = 'system'
    await nextTick()

    expect(html.dataset.theme).toBe(undefined)
    expect(bars()).toEqual(['(prefers-color-scheme: light)', '(prefers-color-scheme: dark)'])
  })

  it('follows a choice in another tab', async () => {
    const { theme } = await load()

    window.dispatchEvent(new StorageEvent('storage', { key: 'theme', newValue: 'dark' }))
    await nextTick()
    expect(html.dataset.theme).toBe('dark')

    window.dispatchEvent(new StorageEvent('storage', { key: 'theme', newValue: 'nonsense' }))
    expect(theme.value).toBe('system')
  })

  it('lasts as long as the page where the browser denies storage', async () => {
    vi.stubGlobal('localStorage', {
      getItem: () => {
        throw new DOMException('Denied', 'SecurityError')
      },
      setItem: () => {
        throw new DOMException('Denied', 'SecurityError')
      },
    })
    const { theme } = await load()

    theme.value = 'dark'
    await nextTick()

    expect(html.dataset.theme).toBe('dark')
  })
})
