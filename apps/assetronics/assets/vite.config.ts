import { defineConfig } from 'vite'
import vue from '@vitejs/plugin-vue'
import tailwindcss from '@tailwindcss/vite'

// `npm run dev` serves the sources and passes calls and sockets on to a running server.
const backend = process.env.BACKEND ?? 'http://localhost:4000'

export default defineConfig({
  plugins: [vue(), tailwindcss()],
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
    proxy: {
      '/api': backend,
      '/socket': { target: backend, ws: true },
    },
  },
})
