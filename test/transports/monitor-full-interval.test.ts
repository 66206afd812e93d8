/** The cheap path over real sockets: a serial that stands still spares the resolvers. */
import { join } from 'node:path'
import { describe, expect, test, onTestFinished } from 'vitest'
import { runMonitor } from '../../src/campaigns/monitor/run-monitor.ts'
import { importHistory } from '../../src/campaigns/monitor/import-history.ts'
import { parseMonitorFile } from '../../src/config/monitor-file.ts'
import { parseMonitorHistory } from '../../src/config/parse-monitor-history.ts'
import { readText } from '../../src/core/files.ts'
import { silentLog } from '../../src/core/log.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { createCertificateAuthority } from '../../src/lab/certificate-authority.ts'
import { laboratoryAddressPlan, ownsLaboratoryAddress } from '../../src/lab/lab-address-plan.ts'
import { createLaboratoryNet } from '../../src/lab/laboratory-net.ts'
import { createMonitorWorld } from '../../src/lab/monitor-world.ts'
import type { MonitorState, MonitorStateStore } from '../../src/model/monitor-state.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import { makeTestDirectory } from '../alert-fixtures/alert-parts.ts'
import { createScaledClock } from '../sim/scaled-clock.ts'

/** States in memory. */
function createMemoryStore(): MonitorStateStore {
  const states = new Map<string, MonitorState>()
  return {
    load: (key) => Promise.resolve(states.get(key)),
    update: (key, change) => {
      const { state, result } = change(states.get(key))
      states.set(key, state)
      return Promise.resolve(result)
    },
  }
}

describe('runMonitor with full_interval', () => {
  test('asks resolvers only when the serial moves, or the interval is over', async () => {
    const directory = makeTestDirectory()
    const clock = createScaledClock(300)
    const authority = createCertificateAuthority('Candor test', nodeClock.wallNowMs())
    const machine = { net: nodeNet, clock, files: nodeFiles, processes: nodeProcesses, log: silentLog }
    const start = createMonitorWorld({ startMinute: 1_000, interval: '10s' })
    const random = createSeededRandom('cheap')
    const world = await start(machine, { seed: 'cheap', directory, authority })
    onTestFinished(() => world.close())
    const routes = { routes: world.routes, authority: authority.certificate, owns: ownsLaboratoryAddress }
    const text = await readText(nodeFiles, join(directory, 'dns-monitor.toml'), 1_000_000)
    const whole = parseMonitorFile('f', text.replaceAll('interval = "10s"', 'interval = "10s"\nfull_interval = "10m"'))
    const plan = { ...whole, names: whole.names.filter(({ domain }) => domain === 'www.static.example') }
    const store = createMemoryStore()
    const history = await readText(nodeFiles, join(directory, 'history.jsonl'), 1_000_000)
    await importHistory(laboratoryAddressPlan, plan, store, parseMonitorHistory('h', history))
    const controller = new AbortController()
    let rounds = 0
    const watching = runMonitor(
      {
        net: createLaboratoryNet(nodeNet, routes),
        clock,
        networkClock: nodeClock,
        random,
        addressPlan: laboratoryAddressPlan,
      },
      {
        plan,
        store,
        timeoutMs: 2_000,
        signal: controller.signal,
        tell: () => Promise.resolve(),
        onRound: () => void (rounds += 1),
      },
    )
    // Twelve minutes have seventy rounds; each zone is looked at in them as well.
    await new Promise((resolve) => setTimeout(resolve, 2_400))
    controller.abort()
    await watching
    expect(rounds).toBeGreaterThanOrEqual(1)
    expect(rounds).toBeLessThanOrEqual(4)
  })
})
