import { defineConfig, type ViteUserConfig } from 'vitest/config'

/**
 * `unit` runs beside the code and in parallel. The others start real processes and run one file at a time: `tor` builds
 * private Tor networks and mostly waits for them, `system` has browsers, daemons and kills; `npm test` runs these two beside
 * each other.
 */
const TOR_TESTS = 'test/system/{events,exits-*,lab-tor-network,query-via-tor,serve,start,tor-*}.test.ts'

const config: ViteUserConfig = defineConfig({
  test: {
    // Without it, a machine with two processors gets one worker.
    maxWorkers: '100%',
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
          name: 'tor',
          include: [TOR_TESTS],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          exclude: [TOR_TESTS],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})

export default config
