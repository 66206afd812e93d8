/** The bounds of the domains campaign that a person can move, each with its reason. */
import type { Limit } from '../core/limit.ts'

/** Domains in flight at once. */
export const CONCURRENCY: Limit = {
  default: 200,
  min: 1,
  max: 2_000,
  unit: 'domains',
  why: 'two sockets each: stays below the usual limit of 1,024 descriptors',
}

/** Queries per second to each public resolver. */
export const QUERIES_PER_SECOND: Limit = {
  default: 50,
  min: 0,
  max: 100_000,
  unit: 'queries/s',
  why: 'what public resolvers bear from one address for hours; 0 for no limit, for resolvers of your own',
}

/** Names that the aggressive mode adds to each name. */
export const FAN_OUT_CAP: Limit = {
  default: 20,
  min: 1,
  max: 1_000,
  unit: 'names',
  why: 'each name costs two queries a day at least; 20 for each of 5,000 are 100,000',
}

/** How often the daemon writes the files. */
export const WRITE_EVERY: Limit = {
  default: 60_000,
  min: 5_000,
  max: 3_600_000,
  unit: 'ms',
  why: 'a set that is a minute old is fresh; writing 100,000 domains takes a second',
}

/** Lists of names. */
export const LISTS_MAX = 64
