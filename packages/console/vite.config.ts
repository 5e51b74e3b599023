import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    // The page's policy allows no data: scripts; small pictures stay files, too.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // For work on the page: `npx vite` in this folder beside a running Millrace.
    proxy: { '/api': 'http://127.0.0.1:8080', '/sign-in': 'http://127.0.0.1:8080' },
  },
})
