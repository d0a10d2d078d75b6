/**
 * The mock API as middleware of Vite's dev and preview servers, on the app's own origin: no proxy,
 * no CORS, no second terminal. It must not import app.ts: Vite would take that for a part of its
 * configuration, and restart on each edit.
 */
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'
import { toNodeHandler } from 'h3'
import type { NodeHandler } from 'h3'
import { runnerImport } from 'vite'
import type { Plugin, PreviewServer, ViteDevServer } from 'vite'
import { ACCOUNTS_HINT, lifetimesFrom } from './env.ts'
import type { Env } from './env.ts'
import { cacheFile, createFileStorage } from './storage.ts'

type AppModule = typeof import('./app.ts')

const APP = fileURLToPath(new URL('./app.ts', import.meta.url))

/** Answers `/api`. `env`: where the variables `MOCK_…` are. */
export function mockServer(env: Env): Plugin {
  return {
    name: 'mock-server',
    apply: 'serve',

    /** In development, what only the mock can do is offered on the page. It answers no other path. */
    config: () => ({
      define: { 'import.meta.env.MOCK': (env.VITE_API_BASE_URL || '/api') === '/api' },
    }),

    configureServer(server) {
      // Asked at each request: Vite loads it again when it, or what it imports, has been edited.
      mount(server, env, 'dev', () => server.ssrLoadModule(APP) as Promise<AppModule>)
    },
    configurePreviewServer(server) {
      let loading: Promise<AppModule> | undefined
      mount(server, env, 'preview', () => {
        loading ??= runnerImport<AppModule>(APP).then(({ module }) => module)
        return loading
      })
    },
  }
}

function mount(
  server: ViteDevServer | PreviewServer,
  env: Env,
  name: string,
  load: () => Promise<AppModule>,
): void {
  const storage = createFileStorage(cacheFile(server.config.root, name))
  const options = { ...lifetimesFrom(env), storage }
  let loaded: AppModule['createMockServer'] | undefined
  let handle: NodeHandler

  server.middlewares.use(async (req, res, next) => {
    if (!/^\/api(?:[/?]|$)/.test(req.url ?? '')) return next()
    try {
      const { createMockServer } = await load()
      if (createMockServer !== loaded) {
        // A new one after an edit. It finds the sessions of the last one in storage (S9).
        handle = toNodeHandler(createMockServer(options))
        loaded = createMockServer
      }
      await handle(req, res)
    } catch (error) {
      next(error)
    }
  })

  const printUrls = server.printUrls.bind(server)
  server.printUrls = () => {
    printUrls()
    const label = `${styleText('green', '➜')}  ${styleText('bold', 'Sign in')}`
    server.config.logger.info(`  ${label}: ${ACCOUNTS_HINT}`)
  }
}
