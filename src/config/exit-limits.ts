/** The bounds of the exits campaign that a person can move, each with its reason. */
import type { Limit } from '../core/limit.ts'

/** The port of a module's target. */
export const PORT: Limit = { default: 443, min: 1, max: 65_535, unit: 'port', why: 'HTTPS' }

/** Pause between circuits. */
export const BUILD_DELAY: Limit = {
  default: 2000,
  min: 0,
  max: 600_000,
  unit: 'ms',
  why: 'about 1,800 circuits an hour, which the public network does not notice',
}

/** Random part of the pause. */
export const DELAY_NOISE: Limit = {
  default: 1000,
  min: 0,
  max: 600_000,
  unit: 'ms',
  why: 'half of the pause, so that circuits follow no clock',
}

/** Circuits a second. */
export const CIRCUITS_PER_SECOND: Limit = {
  default: 0,
  min: 0,
  max: 1000,
  unit: 'circuits/s',
  why: 'the pause bounds the rate already; `fast` has 5',
}

/** Wait for one answer. */
export const QUERY_TIMEOUT: Limit = {
  default: 10_000,
  min: 500,
  max: 120_000,
  unit: 'ms',
  why: 'an exit gives up on its resolver after 2 s; the rest is for slow circuits',
}

/** Questions on one circuit. */
export const ATTEMPTS: Limit = {
  default: 2,
  min: 1,
  max: 10,
  unit: 'questions',
  why: 'one lost packet is no broken resolver',
}

/** Pause between questions on one circuit. */
export const RETRY_DELAY: Limit = {
  default: 500,
  min: 0,
  max: 60_000,
  unit: 'ms',
  why: 'a resolver that was busy gets a moment',
}

/** Relays under test at once. */
export const IN_FLIGHT: Limit = {
  default: 64,
  min: 1,
  max: 512,
  unit: 'relays',
  why: 'slow relays then do not hold up the others, and one Tor process carries it easily',
}

/** Circuits through one first hop. */
export const PER_FIRST_HOP: Limit = {
  default: 8,
  min: 1,
  max: 1000,
  unit: 'circuits',
  why: 'more from one client begins to look like a flood to the relay',
}

/** Circuits per relay at once. */
export const CROSS_VALIDATE: Limit = {
  default: 1,
  min: 1,
  max: 8,
  unit: 'circuits',
  why: 'one answer is enough where it is right; failures are confirmed over other hops anyway',
}

/** Relays on a circuit. */
export const HOPS: Limit = {
  default: 2,
  min: 2,
  max: 3,
  unit: 'relays',
  why: 'streams need two; a third adds time and another relay that may fail',
}

/** The whole run. */
export const DEADLINE: Limit = {
  default: 21_600_000,
  min: 1000,
  max: 172_800_000,
  unit: 'ms',
  why: 'about 3,100 exits take two hours at the default pace and under three at the conservative one',
}

/** Lines of a file of fingerprints, names or decoys. */
export const LIST_LINES_MAX = 100_000
