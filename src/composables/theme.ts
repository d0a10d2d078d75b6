/** Light or dark, as the person has chosen it for this browser, or as their system has it. */
import { ref, watch } from 'vue'

export const THEMES = { system: 'System', light: 'Light', dark: 'Dark' } as const
type Theme = keyof typeof THEMES

/** Key in localStorage, for all people of this browser. */
const KEY = 'theme'

export const theme = ref<Theme>(stored())

/** `main.ts` calls this before anything is shown. tokens.css does the rest. */
export function followTheme(): void {
  watch(theme, apply, { immediate: true })
  // In another tab.
  window.addEventListener('storage', ({ key }) => key === KEY && (theme.value = stored()))
}

function apply(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // The browser denies it: the choice lasts as long as the page.
  }
}

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY) ?? ''
    return value in THEMES ? (value as Theme) : 'system'
  } catch {
    return 'system'
  }
}
