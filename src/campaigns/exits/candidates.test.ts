import { describe, expect, test } from 'vitest'
import { simNetwork, simRelay } from '../../../test/sim/relays.ts'
import { ConfigError } from '../../core/config-error.ts'
import type { ExitSelection } from '../../model/exit-options.ts'
import { candidateOf, selectCandidates } from './candidates.ts'

const everything: ExitSelection = {
  fingerprints: [],
  countries: [],
  badExits: 'include',
  optedOut: [],
  shard: { index: 0, count: 1 },
}
const nowhere = (): undefined => undefined
const flags = (...names: string[]): Set<string> => new Set(['Running', 'Valid', ...names])

const network = simNetwork([
  simRelay(1),
  simRelay(2, { flags: flags(), exitsToIpv4: false, exitsToIpv6: true }),
  simRelay(3, { flags: flags(), exitsToIpv4: false }),
  simRelay(4, { flags: flags('Exit', 'BadExit') }),
  simRelay(5, { flags: new Set(['Exit']) }),
])

describe('candidateOf', () => {
  test('says why a relay is a candidate', () => {
    expect([...network.relays.values()].map((relay) => candidateOf(relay)?.reason)).toEqual([
      'exit_flag+policy',
      'policy',
      undefined,
      'exit_flag+policy',
      undefined,
    ])
  })
})

describe('selectCandidates', () => {
  test('takes what exits and runs, in order of fingerprint', async () => {
    const { candidates, total } = await selectCandidates(network, everything, nowhere)
    expect(candidates.map(({ relay }) => relay.nickname)).toEqual(['relay1', 'relay2', 'relay4'])
    expect(total).toBe(3)
  })

  test('leaves bad exits out, or takes only them', async () => {
    const without = await selectCandidates(network, { ...everything, badExits: 'exclude' }, nowhere)
    const only = await selectCandidates(network, { ...everything, badExits: 'only' }, nowhere)
    expect(without.candidates.map(({ relay }) => relay.nickname)).toEqual(['relay1', 'relay2'])
    expect(only.candidates.map(({ relay }) => relay.nickname)).toEqual(['relay4'])
  })

  test('never takes a relay that opted out, also when it is asked for', async () => {
    const named = (name: string): string =>
      [...network.relays.values()].find(({ nickname }) => nickname === name)?.fingerprint ?? ''
    const selection = { ...everything, optedOut: [named('relay1')] }
    const all = await selectCandidates(network, selection, nowhere)
    const asked = await selectCandidates(
      network,
      { ...selection, fingerprints: [named('relay1'), named('relay2')] },
      nowhere,
    )
    expect(all.candidates.map(({ relay }) => relay.nickname)).toEqual(['relay2', 'relay4'])
    expect(asked.candidates.map(({ relay }) => relay.nickname)).toEqual(['relay2'])
  })

  test('selects by country', async () => {
    const countryOf = (address: string): string => (address === '198.2.0.1' ? 'CH' : 'DE')
    const { candidates } = await selectCandidates(network, { ...everything, countries: ['CH'] }, countryOf)
    expect(candidates.map(({ relay }) => relay.nickname)).toEqual(['relay2'])
  })

  test('splits into shards that are disjoint, complete and of one hash', async () => {
    const big = simNetwork(Array.from({ length: 60 }, (_, index) => simRelay(index + 1)))
    const shards = await Promise.all(
      [0, 1, 2].map((index) => selectCandidates(big, { ...everything, shard: { index, count: 3 } }, nowhere)),
    )
    const seen = shards.flatMap(({ candidates }) => candidates.map(({ relay }) => relay.fingerprint))
    expect(seen).toHaveLength(60)
    expect(new Set(seen).size).toBe(60)
    expect(new Set(shards.map(({ sha256 }) => sha256)).size).toBe(1)
    expect(shards.every(({ candidates }) => candidates.length > 5)).toBe(true)
  })

  test('names an unknown fingerprint', async () => {
    const unknown = 'F'.repeat(40)
    await expect(selectCandidates(network, { ...everything, fingerprints: [unknown] }, nowhere)).rejects.toThrow(
      `relay ${unknown} is not in the consensus`,
    )
  })

  test('tests a relay that was asked for even when it seems not to exit', async () => {
    const asked = simRelay(3).fingerprint
    const { candidates } = await selectCandidates(network, { ...everything, fingerprints: [asked] }, nowhere)
    expect(candidates[0]?.reason).toBe('asked_for')
  })

  test('refuses a selection that is empty', async () => {
    await expect(selectCandidates(network, { ...everything, countries: ['CH'] }, nowhere)).rejects.toThrow(ConfigError)
  })
})
