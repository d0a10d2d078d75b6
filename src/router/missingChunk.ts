/**
 * After a deployment, the chunks that a page knows are gone: reload once, to get the new ones. If they
 * are still missing, or there is no network, the server cannot be reached.
 */
import type { Router } from 'vue-router'
import { atSameAddress } from '@/auth/index.ts'
import { tabStorage } from '@/tabStorage.ts'

/** Key in sessionStorage: the address that was reloaded because its chunk was missing. */
const RELOADED = 'router.reloaded'

export function reloadForMissingChunks(router: Router): void {
  router.afterEach((to, from, failure) => {
    if (!failure && to.name !== 'unavailable') tabStorage()?.removeItem(RELOADED)
  })

  router.onError((error, to) => {
    if (!/dynamically imported module|importing a module|preload/i.test(String(error))) return
    const storage = tabStorage()
    // A page that cannot be marked must not be reloaded time and again.
    if (!navigator.onLine || !storage || storage.getItem(RELOADED) === to.fullPath) {
      void router.replace(atSameAddress('unavailable', to))
    } else {
      storage.setItem(RELOADED, to.fullPath)
      loadAnew(router.resolve(to.fullPath).href)
    }
  })
}

/** `href`: a path, or with a hash history, `#` and a path. */
function loadAnew(href: string): void {
  const { location, history } = window
  // With the origin: a path such as `//example.com` alone would lead to another one.
  const { href: address, hash } = new URL(
    href.startsWith('#') ? href : location.origin + href,
    location.href,
  )
  if (hash && withoutHash(address) === withoutHash(location.href)) {
    // Another hash, or the same, loads nothing by itself.
    if (address !== location.href) history.pushState(null, '', address)
    location.reload()
  } else {
    location.assign(address)
  }
}

const withoutHash = (address: string) => address.replace(/#.*/, '')
