/** A finished run over resolvers, as its directory has it: two countries, three names, every verdict there is. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatAggregate } from '../../src/campaigns/satellite/format-judgement.ts'
import type { SatelliteJudgement } from '../../src/model/satellite-finding.ts'
import { createSatelliteAggregates } from '../../src/verdicts/satellite-aggregates.ts'

/** Id of the run. */
export const SATELLITE_RUN_ID = '20260110040000'
/** A resolver and a name with a block page. */
export const BLOCKED_PAIR = { resolver: '198.51.100.1', domain: 'blocked.example' }

const DOMAINS = ['blocked.example', 'open.example', 'slow.example']

/** Writes the directory of the run below `parent`. */
export function writeSatelliteRun(parent: string, name = 'CP_Satellite-2026-01-10-04-00-00'): void {
  const directory = join(parent, name)
  mkdirSync(directory, { recursive: true })
  const aggregates = createSatelliteAggregates()
  const findings: object[] = []
  for (const [place, country] of ['DE', 'XA'].entries()) {
    const resolvers = country === 'XA' ? 6 : 3
    for (let at = 1; at <= resolvers; at++) {
      for (const domain of DOMAINS) {
        const judgement = judge(country, domain)
        aggregates.add({ country, as: country === 'XA' ? '64500' : null }, domain, judgement)
        findings.push(makePair(`198.51.100.${at + 100 * (1 - place)}`, domain, country, judgement))
      }
    }
  }
  const write = (file: string, records: readonly object[]): void => {
    writeFileSync(join(directory, file), records.map((record) => `${JSON.stringify(record)}\n`).join(''))
  }
  write('findings.jsonl', findings)
  write(
    'aggregates.jsonl',
    aggregates.list().map((aggregate) => formatAggregate(aggregate)),
  )
  write(
    'controls.jsonl',
    DOMAINS.map((domain) => ({
      domain,
      asked: 5,
      answered: 5,
      addresses: ['203.0.113.7'],
      asnum: [64_501],
      asname: ['SITES'],
      pages: 1,
      certificates: 1,
    })),
  )
  writeFileSync(
    join(directory, 'log.json'),
    JSON.stringify({ start: '2026-01-10T04:00:00.000Z', end: '2026-01-10T05:30:00.000Z' }),
  )
}

function judge(country: string, domain: string): SatelliteJudgement {
  if (country === 'XA' && domain === 'blocked.example') return 'interference'
  return domain === 'slow.example' ? 'down' : 'ok'
}

function makePair(vp: string, domain: string, country: string, judgement: SatelliteJudgement): object {
  const isBlocked = judgement === 'interference'
  const isDown = judgement === 'down'
  const address = isBlocked ? '198.51.100.250' : '203.0.113.7'
  const matched = isBlocked ? [] : ['ip', 'asnum', 'asname']
  return {
    vp,
    test_url: domain,
    country_code: country,
    asnum: 64_500,
    judgement,
    anomaly: isBlocked || isDown,
    outcome: isBlocked ? 'block_page' : isDown ? 'error' : 'control_address',
    rcodes: [isDown ? -1 : 0],
    answers: isDown ? [] : [{ address, asnum: isBlocked ? 64_500 : 64_501, asname: 'NETWORK', matched }],
    findings: isBlocked
      ? [
          {
            rule: 'blockpage',
            version: 1,
            weights: { interference: 0.95, down: 0, ok: 0 },
            evidence: { addresses: [address], fingerprints: ['b_nat_example'], origins: ['national'] },
          },
        ]
      : [],
  }
}
