import { fileURLToPath, URL } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { mockServer } from './mock-server/vite.ts'

/** Set: a real API answers below /api, in dev and preview, and the mock stays out of the way. */
const target = process.env.API_PROXY_TARGET
const proxy = target ? { '/api': { target, changeOrigin: true } } : undefined

export default defineConfig({
  plugins: [vue(), mockServer()],
  resolve: {
    alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) },
  },
  server: { proxy },
  preview: { proxy },
  test: {
    include: ['tests/**/*.test.ts'],
    unstubGlobals: true,
    restoreMocks: true,
  },
})
