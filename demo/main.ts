/** Starts the worker that is the API of the demo (worker.ts), and then the app. */
import './banner.css'

const WORKER = `${import.meta.env.BASE_URL}sw.js`
/** Milliseconds. A browser stops a worker that has been idle for 30 s, and its log and faults are gone. */
const KEEP_AWAKE = 20_000
const TIME_LIMIT = 10_000

interface TrustedTypes {
  createPolicy(name: string, rules: object): { createScriptURL(url: string): string }
}

async function startWorker(): Promise<void> {
  const { serviceWorker } = navigator
  // The address of a worker is a sink of Trusted Types.
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  const policy = trustedTypes?.createPolicy('demo', { createScriptURL: (url: string) => url })
  await serviceWorker.register(policy?.createScriptURL(WORKER) ?? WORKER)
  const { active } = await serviceWorker.ready
  const wake = () => (serviceWorker.controller ?? active)?.postMessage('wake')
  if (!serviceWorker.controller) {
    await new Promise((resolve) => {
      serviceWorker.addEventListener('controllerchange', resolve, { once: true })
      wake()
    })
  }
  setInterval(wake, KEEP_AWAKE)
}

// Firefox sends requests with `keepalive` past the worker, which answers after the page has gone anyway.
const send = globalThis.fetch
globalThis.fetch = (input, init) => send(input, { ...init, keepalive: false })

// `ready` waits for ever where the worker cannot be installed.
const timeout = new Promise<never>((_, reject) => {
  setTimeout(reject, TIME_LIMIT, new Error('The service worker did not start in time.'))
})
Promise.race([startWorker(), timeout]).then(
  () => import('../src/main.ts'),
  (error: unknown) => {
    console.error(error)
    document.querySelector('#app')!.textContent =
      'The API of this demo is a service worker, which this browser does not start. Open the demo in a window that is not private, or clone the template.'
  },
)
