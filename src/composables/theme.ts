/** Light or dark, as the person has chosen it for this browser, or as their system has it. */
import { ref, watch } from 'vue'

export const THEMES = { system: 'System', light: 'Light', dark: 'Dark' } as const
type Theme = keyof typeof THEMES

/** Key in localStorage, for all people of this browser. index.html reads it before the first paint. */
const KEY = 'theme'

export const theme = ref(themeOf(document.documentElement.dataset.theme))

/** For main.ts. The colours are in tokens.css. */
export function followTheme(): void {
  watch(theme, apply, { immediate: true })
  watch(theme, keep)
  // Chosen in another tab.
  window.addEventListener('storage', ({ key, newValue }) => {
    if (key === KEY || key === null) theme.value = themeOf(newValue)
  })
}

function apply(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  // The browser's own bar. index.html has one for each scheme.
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const { scheme } = meta.dataset
    const isChosen = theme === scheme ? 'all' : 'not all'
    meta.media = theme === 'system' ? `(prefers-color-scheme: ${scheme})` : isChosen
  }
}

function keep(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // The browser denies it: the choice lasts as long as the page.
  }
}

function themeOf(text: string | null | undefined): Theme {
  return text === 'light' || text === 'dark' ? text : 'system'
}
