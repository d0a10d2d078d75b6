/**
 * What a browser may do with the build. The policy goes into its index.html, so that it holds
 * wherever the files are served; `preview` sends the headers that docs/deploy.md recommends. In
 * development the browser's console reports what the policy would block.
 */
import type { Plugin } from 'vite'

/** Vite adds styles to the page in development. They have this nonce, and are not reported. */
const DEV_NONCE = 'dev'

/**
 * Scripts, styles and calls from this origin, and calls to the API's, if it is another one. Pictures may
 * also come from `blob:`, the way to show one that needs a token.
 *
 * @see https://developer.mozilla.org/docs/Web/HTTP/Guides/CSP
 */
export function contentSecurityPolicy(apiBaseURL = '/api', styleNonce?: string): string {
  const api = URL.canParse(apiBaseURL) ? ` ${new URL(apiBaseURL).origin}` : ''
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self'${styleNonce ? ` 'nonce-${styleNonce}'` : ''}`,
    "img-src 'self' blob:",
    "font-src 'self'",
    `connect-src 'self'${api}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types vue',
  ].join('; ')
}

/** A policy in a page cannot say who may frame it: that needs the header. */
export function securityHeaders(apiBaseURL?: string): Record<string, string> {
  return {
    'Content-Security-Policy': `${contentSecurityPolicy(apiBaseURL)}; frame-ancestors 'none'`,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
  }
}

/** Puts the policy into the index.html of the build. */
export function cspPlugin(apiBaseURL?: string): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: {
          'http-equiv': 'Content-Security-Policy',
          content: contentSecurityPolicy(apiBaseURL),
        },
        injectTo: 'head-prepend',
      },
    ],
  }
}

/** In development the console reports what the policy would block. Nothing is blocked there. */
export function cspReportPlugin(apiBaseURL?: string): Plugin {
  const policy = contentSecurityPolicy(apiBaseURL, DEV_NONCE)
  return {
    name: 'content-security-policy-report',
    apply: 'serve',
    config: () => ({
      html: { cspNonce: DEV_NONCE },
      server: { headers: { 'Content-Security-Policy-Report-Only': policy } },
    }),
  }
}
