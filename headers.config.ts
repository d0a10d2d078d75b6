/**
 * What a browser may do with the build. The policy goes into its index.html, so that it holds
 * wherever the files are served; `preview` sends the headers that docs/deploy.md recommends. In
 * development the browser's console reports what the policy would block.
 */
import type { Plugin } from 'vite'

/** Vite adds styles to the page in development. They have this nonce, and are not reported. */
const DEV_NONCE = 'dev'

/** What Vue DevTools need. A style of theirs is reported all the same. */
const DEVTOOLS = ["frame-src 'self'", "trusted-types vue vue-devtools 'allow-duplicates'"]

/** Where the app sends requests to, besides its own origin. */
export interface ConnectOptions {
  VITE_API_BASE_URL?: string
  /** Origins separated by spaces, such as that of an OpenID provider. */
  VITE_CONNECT_SRC?: string
}

/**
 * Scripts, styles and calls from this origin, and calls to the API's and to those of `VITE_CONNECT_SRC`.
 * Pictures may also come from `blob:`, the way to show one that needs a token.
 *
 * @see https://developer.mozilla.org/docs/Web/HTTP/Guides/CSP
 */
export function contentSecurityPolicy(env: ConnectOptions = {}, isDev = false): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self'${isDev ? ` 'nonce-${DEV_NONCE}'` : ''}`,
    "img-src 'self' blob:",
    "font-src 'self'",
    ["connect-src 'self'", ...connectOrigins(env)].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    ...(isDev ? DEVTOOLS : ['trusted-types vue']),
  ].join('; ')
}

function connectOrigins({ VITE_API_BASE_URL = '', VITE_CONNECT_SRC = '' }: ConnectOptions) {
  const urls = [VITE_API_BASE_URL, ...VITE_CONNECT_SRC.split(/\s+/)].filter((url) =>
    URL.canParse(url),
  )
  return new Set(urls.map((url) => new URL(url).origin))
}

/** A policy in a page cannot say who may frame it: that needs the header. */
export function securityHeaders(env?: ConnectOptions): Record<string, string> {
  return {
    'Content-Security-Policy': `${contentSecurityPolicy(env)}; frame-ancestors 'none'`,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
  }
}

/** Puts the policy into the index.html of the build. */
export function cspPlugin(env?: ConnectOptions): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: {
          'http-equiv': 'Content-Security-Policy',
          content: contentSecurityPolicy(env),
        },
        injectTo: 'head-prepend',
      },
    ],
  }
}

/** In development the console reports what the policy would block. Nothing is blocked there. */
export function cspReportPlugin(env?: ConnectOptions): Plugin {
  const policy = contentSecurityPolicy(env, true)
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
  }
}
