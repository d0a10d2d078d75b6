/**
 * What a browser may do with the build. The policy goes into its index.html, so that it holds
 * wherever the files are served; `preview` sends the headers that docs/deploy.md recommends. In
 * development the console reports what the policy would block, and which line below allows it.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { HtmlTagDescriptor, Plugin } from 'vite'

/** What the app needs beyond the strict policy. Each line has a price, which {@link Loosened} names. */
const loosened: Loosened = {
  // injectedStyles: true,
  // injectedHtml: true,
  // workers: true,
  // dataPictures: true,
  // pictures: ['https://images.example.com'],
  // Connections, such as those of Sentry: VITE_CONNECT_SRC in .env.
}

export interface Loosened {
  /**
   * A UI kit or library that adds styles by script (PrimeVue, Vuetify, Naive UI), or `style=` in HTML.
   * Price: injected markup can change what the page looks like, and read its attributes by selectors.
   */
  injectedStyles?: boolean
  /**
   * A library that assigns strings to `innerHTML`, such as an editor. Turns Trusted Types off.
   * Price: other people's text that reaches such a library becomes markup. Its scripts stay blocked.
   */
  injectedHtml?: boolean
  /**
   * A service worker, or workers, from files of this origin.
   * Price: a bad service worker answers for the app until it is replaced, also after a deployment.
   */
  workers?: boolean
  /**
   * Pictures in `data:` URLs, also those in a stylesheet.
   * Price: injected markup can show any picture without a request that you could find in a log.
   */
  dataPictures?: boolean
  /**
   * Pictures from these origins.
   * Price: they learn who opens your pages, and injected markup can send data there in an address.
   */
  pictures?: string[]
}

/** Vite adds styles to the page in development. They have this nonce, and are not reported. */
const DEV_NONCE = 'dev'

/** The one style without that nonce that Vue DevTools add: no transitions while colours change. */
const DEVTOOLS_STYLE = "'sha256-skqujXORqzxt1aE0NNXxujEanPTX6raoqSscTV/Ww/Y='"

/** Where the app sends requests to, besides its own origin. */
export interface ConnectOptions {
  VITE_API_BASE_URL?: string
  /**
   * Origins separated by spaces, such as that of an error tracker or an OpenID provider.
   * Price: a script that has got into the page can send there what it reads.
   */
  VITE_CONNECT_SRC?: string
}

/**
 * Scripts, styles and calls from this origin, and calls to the API's and to those of `VITE_CONNECT_SRC`.
 * Pictures may also come from `blob:`, the way to show one that needs a token.
 *
 * @see https://developer.mozilla.org/docs/Web/HTTP/Guides/CSP
 */
export function contentSecurityPolicy(
  env: ConnectOptions = {},
  { injectedStyles, injectedHtml, workers, dataPictures, pictures = [] }: Loosened = loosened,
  isDev = false,
): string {
  // A nonce or a hash would take the effect from 'unsafe-inline'.
  const devStyles = isDev ? [`'nonce-${DEV_NONCE}'`, DEVTOOLS_STYLE] : []
  const devPolicies = isDev ? ['vue-devtools', "'allow-duplicates'"] : []
  const directives = {
    'default-src': ["'none'"],
    'script-src': ["'self'", ...inlineScripts()],
    'style-src': ["'self'", ...(injectedStyles ? ["'unsafe-inline'"] : devStyles)],
    'img-src': ["'self'", 'blob:', ...(dataPictures ? ['data:'] : []), ...pictures],
    'font-src': ["'self'"],
    'manifest-src': ["'self'"],
    'connect-src': ["'self'", ...connectOrigins(env)],
    ...(workers && { 'worker-src': ["'self'"] }),
    ...(isDev && { 'frame-src': ["'self'"] }), // Vue DevTools
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    ...(!injectedHtml && {
      'require-trusted-types-for': ["'script'"],
      'trusted-types': ['vue', ...(workers ? ['default'] : []), ...devPolicies],
    }),
  }
  return Object.entries(directives)
    .map(([name, sources]) => [name, ...sources].join(' '))
    .join('; ')
}

/** The scripts that stand in index.html, by their hashes: what is injected there has another. */
function inlineScripts(): string[] {
  const page = readFileSync(new URL('./index.html', import.meta.url), 'utf8')
  const scripts = page.replaceAll('\r\n', '\n').matchAll(/<script>([^]*?)<\/script>/g)
  return Array.from(scripts, ([, text]) => {
    return `'sha256-${createHash('sha256').update(text!).digest('base64')}'`
  })
}

function connectOrigins({ VITE_API_BASE_URL = '', VITE_CONNECT_SRC = '' }: ConnectOptions) {
  const urls = [VITE_API_BASE_URL, ...VITE_CONNECT_SRC.split(/\s+/)].filter((url) =>
    URL.canParse(url),
  )
  return new Set(urls.map((url) => new URL(url).origin))
}

/**
 * A policy in a page cannot say who may frame it: that needs the header. Workers have the policy of their
 * own file's header, where Trusted Types would keep a service worker from loading its parts.
 */
export function securityHeaders(
  env?: ConnectOptions,
  allowed: Loosened = loosened,
): Record<string, string> {
  const policy = allowed.workers ? [] : [contentSecurityPolicy(env, allowed)]
  return {
    'Content-Security-Policy': [...policy, "frame-ancestors 'none'"].join('; '),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
  }
}

/** Puts the policy into the index.html of the build. */
export function cspPlugin(env?: ConnectOptions, { workers }: Loosened = loosened): Plugin {
  return {
    name: 'content-security-policy',
    transformIndexHtml: {
      order: 'pre', // Vite bundles the script.
      handler: (_html, { server }) => [
        ...(server ? [] : [policyTag(env)]),
        ...(workers ? [scriptTag(allowWorkers)] : []),
      ],
    },
  }
}

/** In development the console reports what the policy would block. Nothing is blocked there. */
export function cspReportPlugin(env?: ConnectOptions): Plugin {
  const policy = contentSecurityPolicy(env, loosened, true)
  return {
    name: 'content-security-policy-report',
    apply: 'serve',
    config: () => ({ html: { cspNonce: DEV_NONCE } }),
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const isOfDevtools = request.url?.startsWith('/__')
        if (!isOfDevtools) response.setHeader('Content-Security-Policy-Report-Only', policy)
        next()
      })
    },
    transformIndexHtml: { order: 'pre', handler: () => [scriptTag(explainViolations)] },
  }
}

function policyTag(env?: ConnectOptions): HtmlTagDescriptor {
  return {
    tag: 'meta',
    attrs: { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy(env) },
    injectTo: 'head-prepend',
  }
}

/** `run` is called in the page before the app. It is sent as text, so it uses nothing from outside. */
function scriptTag(run: () => void): HtmlTagDescriptor {
  return {
    tag: 'script',
    attrs: { type: 'module' },
    children: `(${run})()`,
    injectTo: 'head-prepend',
  }
}

/** Trusted Types take no string for the address of a worker: this lets in those of this origin. */
function allowWorkers(): void {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(...args: unknown[]): void }
  }
  trustedTypes?.createPolicy('default', {
    createScriptURL: (url: string) =>
      new URL(url, document.baseURI).origin === location.origin ? url : null,
  })
}

function explainViolations(): void {
  const said = new Set<string>()

  function lineFor({ effectiveDirective, blockedURI, sample }: SecurityPolicyViolationEvent) {
    if (effectiveDirective.startsWith('style-src') && blockedURI === 'inline')
      return 'injectedStyles: true'
    if (effectiveDirective === 'worker-src' || /worker/i.test(sample)) return 'workers: true'
    if (effectiveDirective.includes('trusted-types')) return 'injectedHtml: true'
    if (effectiveDirective !== 'img-src') return undefined
    if (blockedURI.startsWith('data')) return 'dataPictures: true'
    return `pictures: ['${new URL(blockedURI).origin}']`
  }

  function adviceFor(violation: SecurityPolicyViolationEvent): string {
    if (violation.effectiveDirective === 'connect-src')
      return 'Name the origin in VITE_CONNECT_SRC (.env) to allow it.'
    const line = lineFor(violation)
    return line
      ? `The line "${line}" in headers.config.ts allows it. Its price is written there.`
      : 'No line of headers.config.ts allows it: serve it as a file of this origin.'
  }

  document.addEventListener('securitypolicyviolation', (violation) => {
    const what = `The build blocks this (${violation.effectiveDirective}).`
    const message = `${what} ${adviceFor(violation)}`
    if (!said.has(message)) console.warn(message)
    said.add(message)
  })
}
