/**
 * The unique names that a run asks for: `{run_id}.{attempt}.{timestamp_ms}.{fingerprint}.{base_domain}`.
 *
 * The name alone says which run, attempt, moment and relay a query in the authoritative log came from, and no cache
 * knows it. Names are compared without case: they come back lower-cased or with 0x20 casing.
 *
 * **Invariant**: no two names of one allocator have the same moment.
 *
 * **Sources**: RFC 1035 section 2.3.4 (63 and 253 octets). Format: docs/formats/exits.md
 */
import { formatCompactTime, formatIsoTime, parseTime } from '../../core/clock.ts'
import { ConfigError } from '../../core/config-error.ts'

const LABEL_OCTETS_MAX = 63
/** A name of 255 octets on the wire has 253 in text. */
const NAME_OCTETS_MAX = 253
/** The most digits that an attempt number of one relay has: eight circuits at once, ten questions of each family. */
const ATTEMPT_DIGITS_MAX = 3
/** `20260131235959` + `.` + attempt + `.` + `20260131235959123` + `.` + 40 digits + `.` */
const PREFIX_OCTETS = 14 + 1 + ATTEMPT_DIGITS_MAX + 1 + 17 + 1 + 40 + 1

/** What a query name says. */
export interface QueryName {
  /** 14 digits UTC. */
  readonly runId: string
  /** 1 for the first query of the relay. */
  readonly attempt: number
  /** Unix milliseconds. */
  readonly timestampMs: number
  /** 40 hexadecimal digits, upper case. */
  readonly fingerprint: string
  /** Lower case, no trailing dot. */
  readonly baseDomain: string
}

/** Builds a name; its fingerprint is in upper case, as in the plan. */
export function formatQueryName(name: QueryName): string {
  const moment = `${formatCompactTime(name.timestampMs)}${String(name.timestampMs % 1000).padStart(3, '0')}`
  return `${name.runId}.${name.attempt}.${moment}.${name.fingerprint}.${name.baseDomain}`
}

/** @returns What a name in any casing says; `undefined` when it is none of ours. */
export function parseQueryName(text: string): QueryName | undefined {
  const match = /^(\d{14})\.(\d{1,9})\.(\d{17})\.([\da-f]{40})\.([^.].*?)\.?$/i.exec(text)
  if (match === null) return undefined
  const [, runId = '', attempt = '', moment = '', fingerprint = '', baseDomain = ''] = match
  const timestampMs = parseMoment(moment)
  if (timestampMs === undefined) return undefined
  return {
    runId,
    attempt: Number(attempt),
    timestampMs,
    fingerprint: fingerprint.toUpperCase(),
    baseDomain: baseDomain.toLowerCase(),
  }
}

/**
 * Checks a base domain before a run, so that every name under it fits.
 *
 * @param path - Where it came from (`--domain`), for the error.
 * @returns The domain in lower case, without trailing dot.
 * @throws {ConfigError} When it is no domain name, a label is longer than 63 octets, or names under it would be longer
 *   than 253.
 */
export function checkBaseDomain(domain: string, path: string): string {
  const name = domain.toLowerCase().replace(/\.$/, '')
  const labels = name.split('.')
  const room = NAME_OCTETS_MAX - PREFIX_OCTETS
  const bad = labels.find((label) => !/^[\w-]*$/.test(label))
  if (bad !== undefined || labels.includes('')) {
    throw new ConfigError(
      path,
      `${path} ${JSON.stringify(domain)} is not a domain name: ${bad === undefined ? 'it has an empty label' : `the label ${JSON.stringify(bad)} has other characters than letters, digits, - and _`}`,
      `${path} exits.example.net`,
    )
  }
  const long = labels.find((label) => label.length > LABEL_OCTETS_MAX)
  if (long !== undefined) {
    throw new ConfigError(
      path,
      `${path} has a label of ${long.length} octets (${long.slice(0, 20)}…); a label has at most ${LABEL_OCTETS_MAX}`,
      `${path} ${labels.map((label) => label.slice(0, LABEL_OCTETS_MAX)).join('.')}`,
    )
  }
  if (name.length > room) {
    throw new ConfigError(
      path,
      `${path} has ${name.length} octets; with the ${PREFIX_OCTETS} in front of it (run, attempt, time, fingerprint) names would be longer than ${NAME_OCTETS_MAX}`,
      `${path} with at most ${room} octets, for example ${shorten(labels, room)}`,
    )
  }
  return name
}

/**
 * Reads a run id in either form, `20260131235959` or `20260131_235959`.
 *
 * @returns The 14 digits; `undefined` when the text is no moment.
 */
export function parseRunId(text: string): string | undefined {
  const match = /^(\d{8})_?(\d{6})$/.exec(text)
  if (match === null) return undefined
  const digits = `${match[1]}${match[2]}`
  return parseMoment(`${digits}000`) === undefined ? undefined : digits
}

/** @returns The form of file names, `20260131_235959`. */
export function formatRunIdForFile(runId: string): string {
  return `${runId.slice(0, 8)}_${runId.slice(8)}`
}

/** @returns The moment that a run id names, ISO 8601 UTC. */
export function formatRunIdAsTime(runId: string): string {
  return formatIsoTime(parseMoment(`${runId}000`) ?? 0)
}

/** Gives every question a moment of its own: the time it is, or the next free millisecond. */
export interface MomentAllocator {
  /** @returns Unix milliseconds, later than any given before. */
  next(wallNowMs: number): number
}

/** An allocator for one run. A clock that is set back does not repeat a moment. */
export function createMomentAllocator(): MomentAllocator {
  let lastMs = Number.NEGATIVE_INFINITY
  return {
    next: (wallNowMs) => {
      lastMs = Math.max(Math.floor(wallNowMs), lastMs + 1)
      return lastMs
    },
  }
}

/** @returns Unix milliseconds of 17 digits; `undefined` when there is no such moment. */
function parseMoment(digits: string): number | undefined {
  const iso = digits.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})$/, '$1-$2-$3T$4:$5:$6.$7Z')
  const timestampMs = parseTime(iso)
  // Date.parse turns February 30th into March 2nd.
  if (Number.isNaN(timestampMs) || formatCompactTime(timestampMs) !== digits.slice(0, 14)) return undefined
  return timestampMs
}

/** @returns The last labels of a domain that fit. */
function shorten(labels: readonly string[], room: number): string {
  let kept = labels
  while (kept.length > 1 && kept.join('.').length > room) kept = kept.slice(1)
  return kept.join('.')
}
