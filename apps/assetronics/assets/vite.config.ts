import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import vue from '@vitejs/plugin-vue'
import tailwindcss from '@tailwindcss/vite'

// `npm run dev` serves the sources and passes calls and sockets on to a running server.
const backend = process.env.BACKEND ?? 'http://localhost:4000'

// The house's client kit, from its sources.
const kit = fileURLToPath(new URL('../../../clients/js', import.meta.url))

export default defineConfig({
  plugins: [vue(), tailwindcss()],
  resolve: {
    alias: [
      { find: '@bennu/client/vue', replacement: `${kit}/vue/index.ts` },
      { find: '@bennu/client', replacement: `${kit}/src/index.ts` },
    ],
    // The kit's own packages, where it has some, are for its tests.
    dedupe: ['vue', 'phoenix'],
  },
  build: {
    outDir: '../priv/static',
    emptyOutDir: true,
    assetsDir: 'assets',
    // Nothing is inlined as data: so that a strict content security policy holds.
    assetsInlineLimit: 0,
    // The first browsers with light-dark(), dialogs and container queries.
    target: ['chrome123', 'firefox121', 'safari17.5'],
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    fs: { allow: ['.', kit] },
    proxy: {
      '/api': backend,
      '/socket': { target: backend, ws: true },
    },
  },
})
