/**
 * The program's own log: what Candor did. What the network did is an observation and goes into records.
 *
 * Invariant: no secret (cookie, token, password) is ever a field.
 */

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Fields of a log entry; names carry their unit (`elapsed_ms`). */
export type LogFields = Readonly<Record<string, Json>>

/** How much an entry matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Where the program says what it does. `event` is a constant `room.noun.verb`, for example `tor.circuit.failed`. */
export interface Log {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** A log whose entries all carry `fields` as well. */
  child(fields: LogFields): Log
}

/** Receives one entry. */
export type LogSink = (level: LogLevel, event: string, fields: LogFields) => void

/** A log that hands its entries to `sink`. */
export function createLog(sink: LogSink, fields: LogFields = {}): Log {
  const at =
    (level: LogLevel) =>
    (event: string, more: LogFields = {}): void => {
      sink(level, event, { ...fields, ...more })
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more) => createLog(sink, { ...fields, ...more }),
  }
}

/** A log that nobody reads, for tests and for `--quiet`. */
export const silentLog: Log = createLog(() => {})
