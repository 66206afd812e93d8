import { defineConfig, type ViteUserConfig } from 'vitest/config'

/**
 * `unit` runs beside the code and in parallel; `system` starts real processes (Tor, browsers) and therefore runs one
 * file at a time.
 */
const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/{tidy,scenarios,vectors,contract,transports}/**/*.test.ts'],
          setupFiles: ['test/property-setup.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})

export default config
