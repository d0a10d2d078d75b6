import { fileURLToPath, URL } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { loadEnv } from 'vite'
import { defineConfig } from 'vitest/config'
import { cspPlugin, cspReportPlugin, securityHeaders } from './headers.config.ts'
import { mockServer } from './mock-server/vite.ts'

export default defineConfig(({ mode }) => {
  const env = loadEnv(mode, process.cwd(), '')
  assertConfiguration(env)
  // A real API answers below /api, in dev and preview, and the mock stays out of the way.
  const target = env.API_PROXY_TARGET
  const proxy = target ? { '/api': { target, changeOrigin: true } } : undefined

  return {
    plugins: [
      vue(),
      cspPlugin(env.VITE_API_BASE_URL),
      cspReportPlugin(env.VITE_API_BASE_URL),
      !target && mockServer(env),
    ],
    resolve: {
      alias: {
        '@': pathOf('src'),
      },
    },
    build: {
      // Baseline widely available in late 2026. Older ones lack AbortSignal.any.
      target: ['chrome116', 'firefox124', 'safari17.4'],
      assetsInlineLimit: 0, // The policy lets no data: URL in.
      // Every browser that the build is for preloads modules by itself.
      modulePreload: { polyfill: false },
      // What changes with a dependency's version only stays in caches over deployments.
      rolldownOptions: {
        output: {
          codeSplitting: {
            groups: [
              { name: 'vendor', test: /\/node_modules\/(@vue|vue|vue-router|@pinia|pinia)\// },
            ],
          },
        },
      },
    },
    // No page of another origin may read what is served here. Vite would let in all of localhost.
    server: { proxy, cors: false },
    preview: { proxy, cors: false, headers: securityHeaders(env.VITE_API_BASE_URL) },
    test: {
      include: [
        mode === 'proof' ? 'tests/proof/**/*.test.ts' : 'tests/{unit,integration}/**/*.test.ts',
        'tests/proof/stories/*.test.ts', // demo
      ],
      maxWorkers: '100%',
      pool: 'threads',
      // Node 25 and later have a localStorage of their own, in the place of the test environment's.
      execArgv: 'localStorage' in globalThis ? ['--no-webstorage'] : [],
      // Whatever a project's .env says: it sets up the app, not the tests.
      env: { VITE_API_BASE_URL: '', VITE_REFRESH_TOKEN_MODE: '' },
      testTimeout: 30_000, // No test is about speed, and the machine may be busy.
      unstubEnvs: true,
      unstubGlobals: true,
      restoreMocks: true,
    },
  }
})

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

/** @throws Error that says which variable is wrong, and what to set */
function assertConfiguration(env: Record<string, string>): void {
  const { VITE_API_BASE_URL: base, VITE_REFRESH_TOKEN_MODE: mode, API_PROXY_TARGET: target } = env
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
}

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
}
