// Light or dark, as the person has chosen it for this browser, before anything is painted: the app would
// come too late. A file, because the policy lets no inline script in. src/composables/theme.ts goes on
// from here.
{
  let theme = null
  try {
    theme = localStorage.getItem('theme')
  } catch {
    // The browser denies it: as the system has it.
  }
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
}
