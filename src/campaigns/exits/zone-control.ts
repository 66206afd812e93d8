/**
 * The direct control: asks our own zone without Tor, so that a zone that is down is never blamed on exits.
 *
 * Every 30 s by the clock, and at once (at most once a second) when somebody wants to know whether a failure may be the
 * zone's.
 *
 * Invariant: facts only; what two failures in a row mean is decided in `verdicts/run-validity.ts`.
 */
import { canonicalIp } from '../../core/ip-address.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Random } from '../../core/random.ts'
import { parseName } from '../../dns/name.ts'
import { askDirectly } from '../../measure/ask-directly.ts'
import type { Endpoint, Net } from '../../net/net.ts'
import type { QueryNames } from './issue-names.ts'
import type { ZoneExpectation } from './scan-context.ts'

/** Stands in the fingerprint's place in names that we ask ourselves. */
const CONTROL_FINGERPRINT = '0'.repeat(40)
const PERIOD_MS = 30_000
const TIMEOUT_MS = 3_000
/** Controls on demand are not made more often than this. */
const SPACING_MS = 1_000

/** What the zone said when it was asked directly. */
export interface ControlOutcome {
  readonly right: boolean
  /** One sentence, for the run's `invalid` and for the log. */
  readonly description: string
}

/** A running control. */
export interface ZoneControl extends Disposable {
  /** Asks once more, coalesced with others who want to know; the callback of the owner is called too. */
  check(): Promise<ControlOutcome>
}

/** What a control needs. */
export interface ZoneControlOptions {
  readonly net: Net
  readonly clock: Clock
  readonly random: Random
  readonly names: QueryNames
  readonly zone: ZoneExpectation
  /** An authoritative server of the zone, or any resolver that is not behind Tor. */
  readonly server: Endpoint
  readonly onOutcome: (outcome: ControlOutcome) => void
}

/** Starts the periodic control. */
export function startZoneControl(options: ZoneControlOptions): ZoneControl {
  const { clock } = options
  let running: Promise<ControlOutcome> | undefined
  let askedAtMs = -Infinity
  let last: ControlOutcome | undefined
  let timer: Timer = clock.setTimer(PERIOD_MS, tick)
  function tick(): void {
    timer = clock.setTimer(PERIOD_MS, tick)
    void check()
  }
  async function ask(): Promise<ControlOutcome> {
    askedAtMs = clock.nowMs()
    last = await askZone(options)
    running = undefined
    options.onOutcome(last)
    return last
  }
  function check(): Promise<ControlOutcome> {
    if (running === undefined) {
      if (last !== undefined && last.right && clock.nowMs() - askedAtMs < SPACING_MS) return Promise.resolve(last)
      running = ask()
    }
    return running
  }
  return {
    check,
    [Symbol.dispose]: () => {
      timer.cancel()
    },
  }
}

/** Asks the zone once, directly. Never rejects. */
export async function askZone(options: Omit<ZoneControlOptions, 'onOutcome'>): Promise<ControlOutcome> {
  const { net, clock, random, names, zone, server } = options
  const type = zone.ipv4.length === 0 && zone.ipv6.length > 0 ? 'AAAA' : 'A'
  const text = names.issue(CONTROL_FINGERPRINT, 1)
  const name = parseName(text)
  if (name === undefined) return { right: false, description: `${text} is no domain name` }
  const question = { server, name, type: type === 'A' ? 1 : 28, timeoutMs: TIMEOUT_MS }
  const answer = await askDirectly({ net, clock, random }, question)
  const where = `${server.address}#${server.port}`
  if (answer.message === undefined) {
    return { right: false, description: `${where} gave no answer (${answer.failure ?? 'unknown'})` }
  }
  const { rcode } = answer.message.header
  const addresses = answer.message.answers.flatMap(({ rdata }) =>
    rdata.kind === 'a' || rdata.kind === 'aaaa' ? (canonicalIp(rdata.address) ?? []) : [],
  )
  return judgeZone(zone, where, rcode, addresses, type)
}

function judgeZone(
  zone: ZoneExpectation,
  where: string,
  rcode: number,
  addresses: readonly string[],
  type: 'A' | 'AAAA',
): ControlOutcome {
  if (zone.mode === 'nxdomain') {
    const right = rcode === 3
    return { right, description: `${where} answered rcode ${rcode} for a name that does not exist` }
  }
  const expected = type === 'A' ? zone.ipv4 : zone.ipv6
  const right = rcode === 0 && addresses.length > 0 && addresses.every((address) => expected.includes(address))
  const got = addresses.length > 0 ? addresses.join(', ') : `rcode ${rcode} without address`
  return { right, description: `${where} answered ${got}, expected ${expected.join(' or ')}` }
}
