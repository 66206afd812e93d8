/** The bounds of publication that a person can move, each with its reason. */
import type { Limit } from '../core/limit.ts'

/** Requests to one store at once. */
export const CONCURRENCY: Limit = {
  default: 4,
  min: 1,
  max: 32,
  unit: 'requests',
  why: 'fills a connection of some Mbit/s, and holds four reports in memory at most',
}

/** Attempts at one request. */
export const ATTEMPTS: Limit = {
  default: 4,
  min: 1,
  max: 10,
  unit: 'attempts',
  why: 'with pauses of 1, 2 and 4 s a short disturbance passes; what lasts longer is for the next sync',
}

/** One request, from connecting to the last octet. */
export const TIMEOUT: Limit = {
  default: 120_000,
  min: 1000,
  max: 3_600_000,
  unit: 'ms',
  why: 'a monthly archive of 60 MiB takes this long at 4 Mbit/s',
}

/** Age at which a report is compressed. */
export const GZIP_AFTER: Limit = {
  default: 30,
  min: 0,
  max: 36_500,
  unit: 'days',
  why: 'a month of runs is what people look at; 0 compresses nothing',
}

/** Age at which a month becomes one archive. */
export const ARCHIVE_AFTER: Limit = {
  default: 180,
  min: 0,
  max: 36_500,
  unit: 'days',
  why: 'trends over half a year read single files; 0 archives nothing',
}

/** Age at which a report is deleted. */
export const DELETE_AFTER: Limit = {
  default: 365,
  min: 0,
  max: 36_500,
  unit: 'days',
  why: 'a year shows every season; 0 deletes nothing',
}

/** Stores side by side. */
export const STORES_MAX = 16
