import process from 'node:process'
import { fileURLToPath, URL } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { loadEnv } from 'vite'
import type { Plugin } from 'vite'
import vueDevTools from 'vite-plugin-vue-devtools'
import { defineConfig } from 'vitest/config'
import { cspPlugin, cspReportPlugin, securityHeaders } from './headers.config.ts'
import { mockServer } from './mock-server/vite.ts'

/** Addresses of the API, and none of a page such as `/apiary`. */
const API = '^/api(?=[/?]|$)'

/** The paths of its cookies are those of the API. The browser would not send them to `/api`. */
const API_AT_ROOT = {
  rewrite: (path: string) => path.replace(/^\/api\/?/, '/'),
  cookiePathRewrite: { '*': '/' },
}

/**
 * What pages share, and the shell in the entry does not use: the API client, what asks for data and what
 * shows it. A component that the shell uses too must not be here, or the entry waits for all of it.
 */
const SHARED_BY_PAGES =
  /\/node_modules\/(ofetch|ufo|destr)\/|\/src\/(auth\/(client|fetch)|api\/(?!backend|errors|user)|queries|dates|components\/(?!AppMark|ConfirmDialog|UserAvatar))/

export default defineConfig(({ mode }) => {
  const env = loadEnv(mode, process.cwd(), '')
  assertConfiguration(env)
  // A real API answers below /api, in dev and preview, and the mock stays out of the way.
  const target = env.API_PROXY_TARGET
  const atRoot = env.API_PROXY_STRIP ? API_AT_ROOT : {}
  const proxy = target ? { [API]: { target, changeOrigin: true, ...atRoot } } : undefined

  return {
    plugins: [
      vue(),
      !process.env.VITEST && vueDevTools(),
      cspPlugin(env),
      cspReportPlugin(env),
      preloadChunk('pages'),
      !target && mockServer(env),
    ],
    resolve: {
      alias: {
        // The app's tests speak the mock's wire, whichever back end src/api/backend.ts chooses.
        ...(process.env.VITEST &&
          mode !== 'proof' && { '@/api/backend.ts': pathOf('tests/support/app-backend.ts') }),
        '@': pathOf('src'),
      },
    },
    build: {
      // Baseline widely available in late 2026. Older ones lack AbortSignal.any.
      target: ['chrome116', 'firefox124', 'safari17.4'],
      assetsInlineLimit: 0, // The policy lets no data: URL in.
      // Every browser that the build is for preloads modules by itself.
      modulePreload: { polyfill: false },
      rolldownOptions: {
        output: {
          codeSplitting: {
            groups: [
              // What changes with a dependency's version only stays in caches over deployments.
              { name: 'vendor', test: /\/node_modules\/(@vue|vue|vue-router|@pinia|pinia)\// },
              // One request instead of one for each component. What it imports stays where it is.
              {
                name: 'pages',
                test: SHARED_BY_PAGES,
                minShareCount: 2,
                includeDependenciesRecursively: false,
              },
            ],
          },
        },
      },
    },
    // No page of another origin may read what is served here. Vite would let in all of localhost.
    server: { proxy, cors: false },
    preview: { proxy, cors: false, headers: securityHeaders(env) },
    test: {
      include: [
        mode === 'proof' ? 'tests/proof/**/*.test.ts' : 'tests/{unit,integration}/**/*.test.ts',
        'tests/proof/stories/*.test.ts', // demo
      ],
      ...(mode === 'backends' && { include: ['tests/proof/backends/*.real.ts'] }), // demo
      maxWorkers: '100%',
      pool: 'threads',
      // Node 25 and later have a localStorage of their own, in the place of the test environment's.
      execArgv: 'localStorage' in globalThis ? ['--no-webstorage'] : [],
      // Whatever a project's .env says: it sets up the app, not the tests.
      env: { VITE_API_BASE_URL: '', VITE_REFRESH_TOKEN_MODE: '' },
      // No test is about speed, and the machine may be busy.
      testTimeout: 30_000,
      hookTimeout: 60_000,
      unstubEnvs: true,
      unstubGlobals: true,
      restoreMocks: true,
    },
  }
})

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

/**
 * Loads a chunk beside the entry, which does not wait for it. Else it would be asked for when the entry
 * runs, together with the page's own code.
 */
function preloadChunk(name: string): Plugin {
  let base = '/'
  return {
    name: 'preload-chunk',
    apply: 'build',
    configResolved: (config) => void (base = config.base),
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { bundle = {} }) =>
        Object.values(bundle)
          .filter((file) => file.name === name)
          .map(({ fileName }) => ({
            tag: 'link',
            attrs: { rel: 'modulepreload', crossorigin: true, href: base + fileName },
            injectTo: 'head',
          })),
    },
  }
}

/** @throws Error that says which variable is wrong, and what to set */
function assertConfiguration(env: Record<string, string>): void {
  const { VITE_API_BASE_URL: base, VITE_REFRESH_TOKEN_MODE: mode, API_PROXY_TARGET: target } = env
  const { VITE_CONNECT_SRC: origins, API_PROXY_STRIP: strip } = env
  if (base && !/^\/(?!\/)/.test(base) && !isHttpUrl(base)) {
    throw new Error(
      `VITE_API_BASE_URL is "${base}": set a path like /api or a URL like https://api.example.com`,
    )
  }
  if (mode && mode !== 'cookie' && mode !== 'json') {
    throw new Error(`VITE_REFRESH_TOKEN_MODE is "${mode}": set cookie or json`)
  }
  if (target && !isHttpUrl(target)) {
    throw new Error(`API_PROXY_TARGET is "${target}": set a URL like http://localhost:8080`)
  }
  if (strip && strip !== '1') {
    throw new Error(`API_PROXY_STRIP is "${strip}": set 1, or leave it out`)
  }
  if (origins && !origins.trim().split(/\s+/).every(isOrigin)) {
    throw new Error(
      `VITE_CONNECT_SRC is "${origins}": set origins like https://login.example.com, separated by spaces`,
    )
  }
}

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
}

/** A path or a `;` would change the meaning of the policy. */
function isOrigin(value: string): boolean {
  return /^(https?|wss?):\/\/[\w.:[\]-]+$/.test(value) && URL.canParse(value)
}
