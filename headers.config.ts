/**
 * What a browser may do with the build. The policy goes into its index.html, so that it holds
 * wherever the files are served; `preview` sends the headers that docs/deploy.md recommends.
 */
import type { Plugin } from 'vite'

/**
 * Scripts, styles and calls from this origin, and calls to the API's, if it is another one.
 *
 * @see https://developer.mozilla.org/docs/Web/HTTP/Guides/CSP
 */
export function contentSecurityPolicy(apiBaseURL = '/api'): string {
  const api = URL.canParse(apiBaseURL) ? ` ${new URL(apiBaseURL).origin}` : ''
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
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

/** Puts the policy into index.html. In dev, Vite's own inline styles and scripts need to run. */
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
