import { describe, expect, test } from 'vitest'
import { createDomainWorld } from '../../test/sim/domain-world.ts'
import { createSeededRandom } from '../core/random.ts'
import { silentLog } from '../core/log.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { createDomainService, type DomainService } from './domain-service.ts'

const OBSERVATION = { name: 'a.zone.example', addresses: ['198.51.100.1'], atMs: 0 }

function createService(): DomainService {
  const { clock, store, pool } = createDomainWorld(['a.zone.example'], [['alpha', () => 'ok']], () => 300)
  return createDomainService({
    clock,
    files: nodeFiles,
    log: silentLog,
    random: createSeededRandom('service'),
    store,
    pool,
    ask: () => Promise.reject(new Error('nobody is asked here')),
    policy: { nxHardQuarantine: false, wildcardFallback: true, concurrency: 1, canaries: [] },
    canaries: { zone: null, blocked: null },
    output: {
      directory: '/nonexistent',
      names: { table: 'inet candor', v4: 'a', v6: 'b', rtV4: 'c', rtV6: 'd' },
      allowEmpty: false,
    },
    writeEveryMs: 60_000,
    tell: () => Promise.resolve(),
  })
}

describe('createDomainService', () => {
  test('keeps nobody waiting for a campaign that has ended', async () => {
    const service = createService()
    const waiting = service.observe([OBSERVATION])
    service.close()
    await expect(waiting).rejects.toThrow('has ended')
    await expect(service.observe([OBSERVATION])).rejects.toThrow('has ended')
    await expect(service.release('a.zone.example')).rejects.toThrow('has ended')
  })
})
