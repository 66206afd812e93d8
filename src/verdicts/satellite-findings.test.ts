import { describe, expect, test } from 'vitest'
import { readRow } from '../campaigns/satellite/read-row.ts'
import { publicAddressPlan } from '../core/address-plan.ts'
import type { SatelliteRow, SatelliteTags } from '../model/satellite-row.ts'
import { createControlSets, type ControlSet } from './satellite-control.ts'
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import { listSatelliteFindings, type SatelliteEvidence } from './satellite-findings.ts'
import { wilsonInterval } from './wilson-interval.ts'

const TAGS: Readonly<Record<string, SatelliteTags>> = {
  '8.8.0.1': { http: 'page', cert: 'cert', asnum: 64500, asname: 'EXAMPLE' },
  '8.8.0.2': { http: 'page', cert: null, asnum: 64500, asname: 'OTHER NAME' },
  '8.8.0.3': { http: 'wrong', cert: 'wrong', asnum: 64999, asname: 'EXAMPLE' },
}
const findTags = (address: string): SatelliteTags | undefined => TAGS[address]

function respond(
  answers: readonly string[],
  rcode = 0,
  passedLiveness = true,
  [vp, domain] = ['8.8.8.8', 'a.example'],
): SatelliteRow {
  const trial = { url: domain, has_type_a: answers.length > 0, response: answers, error: 'null', rcode }
  return readRow({ vp, test_url: domain, response: [trial], passed_liveness: passedLiveness }, 'response')
}

function controlOf(responses: readonly (readonly string[])[]): ControlSet {
  const sets = createControlSets()
  for (const [at, answers] of responses.entries()) {
    sets.add(respond(answers, 0, true, [`8.8.4.${at}`, 'a.example']))
    sets.add(respond(['8.8.0.1'], 0, true, [`8.8.4.${at}`, 'other.example']))
  }
  // One that is out of order does not count.
  sets.add(respond([], 2, true, ['8.8.4.99', 'a.example']))
  return sets.find('a.example', findTags)
}

function gather(control: ControlSet, more: Partial<SatelliteEvidence> = {}): SatelliteEvidence {
  return {
    findControl: () => control,
    findTags,
    findFetch: () => undefined,
    findBlockAddress: () => undefined,
    findCdnCertificate: () => undefined,
    isNonResolver: () => false,
    plan: publicAddressPlan,
    findBlockServer: () => undefined,
    findProfile: () => undefined,
    ...more,
  }
}

function judge(row: SatelliteRow, responses: readonly (readonly string[])[]): readonly SatelliteFinding[] {
  return listSatelliteFindings(row, [], gather(controlOf(responses)))
}

function find(row: SatelliteRow, responses: readonly (readonly string[])[] = [['8.8.0.1']]): readonly string[] {
  return judge(row, responses).map(({ rule }) => rule)
}

describe('listSatelliteFindings', () => {
  test('names each kind of overlap', () => {
    expect(find(respond(['8.8.0.1']))).toEqual([
      'answer-in-control',
      'certificate-in-control',
      'page-in-control',
      'answer-as-in-control',
    ])
    expect(find(respond(['8.8.0.2']))).toEqual(['page-in-control', 'answer-as-in-control'])
    expect(find(respond(['8.8.0.3']))).toEqual([])
    expect(find(respond(['8.8.0.9']))).toEqual([])
  })

  test('says which addresses overlap, and in what', () => {
    const [finding] = judge(respond(['8.8.0.3', '8.8.0.2']), [['8.8.0.1']])
    expect(finding).toEqual({
      rule: 'page-in-control',
      version: 1,
      evidence: { addresses: ['8.8.0.2'], shared: ['page'] },
      weights: { interference: 0, down: 0, ok: 0.7 },
    })
  })

  test.each([
    ['10.10.34.35', true],
    ['0.0.0.0', true],
    ['2002:a00:1::1', true],
    ['64:ff9b::808:808', false],
    ['8.8.8.8', false],
    ['no address', false],
  ])('takes %s for reserved: %s', (address, isBogus) => {
    expect(find(respond([address])).includes('bogon-answer')).toBe(isBogus)
  })

  test('calls a reserved address that the control has too misconfigured', () => {
    const weigh = (control: readonly string[]): unknown =>
      judge(respond(['10.0.0.1']), [control]).find(({ rule }) => rule === 'bogon-answer')?.weights
    expect(weigh(['8.8.0.1'])).toEqual({ interference: 0.8, down: 0.1, ok: 0 })
    expect(weigh(['192.168.0.1'])).toEqual({ interference: 0, down: 0.7, ok: 0 })
  })

  test('holds failures against the share of the control', () => {
    expect(find(respond([], 3))).toEqual(['nxdomain-against-control'])
    expect(find(respond([], 2))).toEqual(['failure-against-control'])
    expect(find(respond([], -1))).toEqual(['failure-against-control'])
    expect(find(respond([], 0))).toEqual(['failure-against-control'])
    expect(find(respond([], 3, false))).toEqual([])
    expect(find(respond([], 3), [])).toEqual([])
    const weigh = (responses: readonly (readonly string[])[]): number =>
      judge(respond([], 3), responses)[0]?.weights.interference ?? -1
    const one = weigh([['8.8.0.1']])
    const five = weigh(Array.from({ length: 5 }, () => ['8.8.0.1']))
    const half = weigh([['8.8.0.1'], []])
    expect(weigh([[], []])).toBe(0)
    expect(one).toBeGreaterThan(half)
    expect(five).toBeGreaterThan(one)
  })
})

describe('wilsonInterval', () => {
  test.each([
    [0, 0, 0, 1],
    [5, 10, 0.2366, 0.7634],
    [0, 10, 0, 0.2775],
    [10, 10, 0.7225, 1],
  ])('%i of %i', (hits, total, low, high) => {
    const interval = wilsonInterval(hits, total)
    expect(interval.low).toBeCloseTo(low, 4)
    expect(interval.high).toBeCloseTo(high, 4)
  })
})
