/**
 * What happens to names that the monitor watches: a script for each thing that it must tell, or must not. The same scripts
 * drive a simulated world and the laboratory's servers.
 *
 * Invariant: pure; what a script says follows from the moment alone. Addresses are abstract: whose network, which /24 of it,
 * which host; a world makes real ones of them.
 */

/** An address: network 20 is the owner's, from 66 on they are attackers'. */
export interface ScriptAddress {
  readonly as: number
  readonly net: number
  readonly host: number
}

/** What is said: addresses, or what kind of nothing. */
export type ScriptAnswer = readonly ScriptAddress[] | 'nxdomain' | 'nodata' | 'servfail'

/** When somebody is asked. */
export interface ScriptMoment {
  /** Since the world began, with fraction. */
  readonly minute: number
  /** 0 to 2, each of another operator. */
  readonly resolver: number
  /** How often this resolver was asked for the name since the script began to act; 0 for the first time. */
  readonly asked: number
  /** A number from 0, below another. */
  readonly draw: (below: number) => number
  /** The same for all who are asked at the same time. */
  readonly roundDraw: number
}

/** What the zone of a name looks like. */
export interface ScriptZone {
  readonly hasOtherServers: boolean
  readonly hasDs: boolean
  readonly areSerialsApart: boolean
}

/** What the monitor is expected to make of it. */
export interface ScriptOutcome {
  readonly pages: 0 | 1
  readonly tickets: 0 | 1
  /** Of the incident; `null` without one. */
  readonly subject: string | null
  /** What is told in the digest; `null` for nothing in particular. */
  readonly digest: 'serials' | 'ttl' | null
  /** How the incident ends when time passes. */
  readonly end: 'lasts' | 'resolved' | 'changed' | null
  /** Minutes after it began to act. */
  readonly withinMinutes: number
}

/** One script. */
export interface MonitorScript {
  /** Letters and `-`: a label of a name. */
  readonly name: string
  readonly title: string
  /** How answers move; `null` where it depends on when one looks. */
  readonly mode: string | null
  /** What a resolver says. */
  readonly answer: (at: ScriptMoment) => ScriptAnswer
  /** What the zone says. */
  readonly truth: (at: ScriptMoment) => ScriptAnswer
  /** New addresses that have a certificate for the name. */
  readonly certified: readonly ScriptAddress[]
  readonly zone: (minute: number) => ScriptZone
  /** Seconds. */
  readonly ttl: (minute: number) => number
  readonly outcome: ScriptOutcome
}

/** When things happen. */
export interface ScriptTimes {
  /** When scripts begin to act. */
  readonly startMinute: number
  /** After how many minutes a drifting name has another /24. */
  readonly driftMinutes: number
  /** Minutes by which the caches of the three resolvers lag behind a move. */
  readonly lagMinutes: readonly number[]
  /** Which resolver lies. */
  readonly liar: number
}

const at = (as: number, net: number, host: number): ScriptAddress => ({ as, net, host })
const STEADY: readonly ScriptAddress[] = [at(20, 1, 1), at(20, 1, 2)]
const MOVED: readonly ScriptAddress[] = [at(40, 1, 1), at(40, 2, 1)]
const LIE: readonly ScriptAddress[] = [at(66, 6, 6)]
const ZONE: ScriptZone = { hasOtherServers: false, hasDs: true, areSerialsApart: false }
const TTL = 300
const DAY = 1_440
const NOTHING: ScriptOutcome = { pages: 0, tickets: 0, subject: null, digest: null, end: null, withinMinutes: 0 }
const PAGE: ScriptOutcome = { ...NOTHING, pages: 1, subject: 'K3', end: 'lasts', withinMinutes: 1 }

type Says = MonitorScript['answer']

const steady: Says = () => STEADY

/** Four of sixteen addresses over four prefixes of one network, others in each answer. */
const rotating: Says = ({ draw }) => {
  const first = draw(16)
  return [0, 1, 2, 3].map((step) => (first + step * 5) % 16).map((host) => at(20, host >> 2, host))
}

/** A script from what differs from a name that never changes. */
function script(name: string, title: string, changes: Partial<MonitorScript>): MonitorScript {
  return {
    name,
    title,
    mode: 'static',
    answer: steady,
    truth: changes.answer ?? steady,
    certified: [],
    zone: () => ZONE,
    ttl: () => TTL,
    outcome: NOTHING,
    ...changes,
  }
}

/** All scripts. */
export function createMonitorScripts(times: ScriptTimes): readonly MonitorScript[] {
  return [...createQuietScripts(times), ...createLoudScripts(times), ...createZoneScripts(times)]
}

function createQuietScripts({ startMinute, driftMinutes }: ScriptTimes): readonly MonitorScript[] {
  const isOut = (minute: number): boolean => minute >= startMinute && (minute - startMinute) % DAY < 3
  return [
    script('static', 'a name that never changes', {}),
    script('rotating', 'four of sixteen addresses', { mode: 'rotating', answer: rotating }),
    script('geographic', 'answers that differ by resolver', {
      mode: 'geographic',
      answer: ({ resolver }) => [at(20 + resolver, 1, 1)],
    }),
    script('two-cdns', 'two content networks, 90 to 10', {
      mode: 'multi_cdn',
      answer: ({ draw }) => [at(draw(100) < 10 ? 30 : 20, 1, 1)],
    }),
    script('two-cdns-together', 'two content networks that change for all at once', {
      mode: 'multi_cdn',
      answer: ({ roundDraw }) => [at(roundDraw % 100 < 10 ? 30 : 20, 1, 1)],
    }),
    script('failures', 'two of a hundred questions fail', {
      answer: ({ draw }) => (draw(100) < 2 ? 'servfail' : STEADY),
      truth: steady,
    }),
    script('outage', 'three minutes of every day without answer', {
      answer: ({ minute }) => (isOut(minute) ? 'servfail' : STEADY),
      truth: steady,
    }),
    script('drift', 'another /24 of the same network now and then', {
      mode: null,
      answer: ({ minute }) => [at(20, 1 + Math.floor(minute / driftMinutes), 1)],
    }),
    script('rare', 'one answer of a thousand is wrong', {
      answer: ({ draw, asked, resolver, minute }) =>
        draw(1_000) < 1 || (minute >= startMinute && asked === 0 && resolver === 1) ? [at(99, 1, 1)] : STEADY,
      truth: steady,
    }),
  ]
}

function createLoudScripts({ startMinute, lagMinutes, liar }: ScriptTimes): readonly MonitorScript[] {
  const from = (minutes: number, during: Says, otherwise: Says): Says => {
    return (moment) =>
      moment.minute >= startMinute && moment.minute < startMinute + minutes ? during(moment) : otherwise(moment)
  }
  const lie: Says = () => LIE
  return [
    script('hijack-all', 'every resolver is lied to', {
      mode: null,
      answer: from(Infinity, lie, steady),
      truth: steady,
      outcome: PAGE,
    }),
    script('hijack-rotating', 'every resolver is lied to about a name whose addresses rotate', {
      mode: null,
      answer: from(Infinity, lie, rotating),
      truth: rotating,
      outcome: PAGE,
    }),
    script('hijack-in-as', 'the lie rotates within a network', {
      mode: null,
      answer: from(Infinity, ({ draw }) => [at(66, draw(200), 1)], steady),
      truth: steady,
      outcome: PAGE,
    }),
    script('hijack-five-as', 'the lie rotates over five networks', {
      mode: null,
      answer: from(Infinity, ({ roundDraw }) => [at(66 + (roundDraw % 5), (roundDraw >> 4) % 200, 1)], steady),
      truth: steady,
      outcome: PAGE,
    }),
    script('burst', 'two minutes of lies', {
      mode: null,
      answer: from(2, lie, steady),
      truth: steady,
      outcome: { ...PAGE, end: 'resolved' },
    }),
    script('one-liar', 'one resolver lies', {
      mode: null,
      answer: from(Infinity, ({ resolver }) => (resolver === liar ? LIE : STEADY), steady),
      truth: steady,
      outcome: { ...NOTHING, tickets: 1, subject: 'diverges', end: 'lasts', withinMinutes: 1 },
    }),
    script('owner-moves', 'the owner moves to another provider', {
      mode: null,
      answer: ({ minute, resolver }) => (minute >= startMinute + (lagMinutes[resolver] ?? 0) ? MOVED : STEADY),
      truth: from(Infinity, () => MOVED, steady),
      certified: MOVED,
      outcome: { ...NOTHING, tickets: 1, subject: 'K3', end: 'changed', withinMinutes: 12 },
    }),
  ]
}

function createZoneScripts({ startMinute }: ScriptTimes): readonly MonitorScript[] {
  const zone = (changes: Partial<ScriptZone>): MonitorScript['zone'] => {
    return (minute) => (minute >= startMinute ? { ...ZONE, ...changes } : ZONE)
  }
  // A zone is looked at every five minutes, and again before anybody is told.
  const parent = { ...NOTHING, pages: 1, end: 'lasts', withinMinutes: 6 } as const
  return [
    script('ds-removed', 'the DS is gone at the parent', {
      zone: zone({ hasDs: false }),
      outcome: { ...parent, subject: 'parent_ds' },
    }),
    script('ns-changed', 'the parent names other servers', {
      zone: zone({ hasOtherServers: true }),
      outcome: { ...parent, subject: 'parent_ns' },
    }),
    script('serials-apart', 'one server has an older zone', {
      zone: zone({ areSerialsApart: true }),
      outcome: { ...NOTHING, digest: 'serials', withinMinutes: 70 },
    }),
    script('ttl-drop', 'the TTL falls tenfold', {
      ttl: (minute) => (minute >= startMinute ? TTL / 10 : TTL),
      outcome: { ...NOTHING, digest: 'ttl', withinMinutes: 125 },
    }),
  ]
}
