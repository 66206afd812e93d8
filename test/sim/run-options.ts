/** Options of a run for tests that care about few of them. */
import type { ExitRunOptions } from '../../src/model/exit-options.ts'

/** Unpaced, with two attempts, over eight relays at once. */
export function exampleRunOptions(): ExitRunOptions {
  return {
    runId: '20260131120000',
    seed: 'seed',
    mode: 'wildcard',
    domain: 'exit.test',
    expect: ['198.51.100.53'],
    secondDomain: null,
    secondExpect: [],
    nxdomainDomain: null,
    stableDomains: [],
    decoys: [],
    directResolver: null,
    secondDirectResolver: null,
    selection: { fingerprints: [], countries: [], badExits: 'include', optedOut: [], shard: { index: 0, count: 1 } },
    firstHops: [],
    crossValidate: 1,
    hops: 2,
    pace: {
      profile: 'default',
      buildDelayMs: 0,
      delayNoiseMs: 0,
      circuitsPerSecond: 0,
      queryTimeoutMs: 10_000,
      attempts: 2,
      retryDelayMs: 1_000,
    },
    inFlight: 8,
    perFirstHop: 8,
    deadlineMs: 3_600_000,
    analysisDir: 'results',
    perRelayFiles: false,
    dataDir: null,
    resume: false,
    authorityLog: null,
    modules: ['dnshealth'],
    moduleFiles: [],
    target: null,
    quietHours: null,
  }
}
