/** sessionStorage, or null if the browser denies it. It lives as long as the tab, and no other tab reads it. */
export function tabStorage(): Storage | null {
  try {
    return window.sessionStorage
  } catch {
    return null
  }
}
