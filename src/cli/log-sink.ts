/** Where log entries go: short lines on a terminal, JSON Lines elsewhere; always stderr. */
import { formatIsoTime, type Clock } from '../core/clock.ts'
import type { LogFields, LogLevel, LogSink } from '../core/log.ts'
import type { CliOutput } from './cli-output.ts'

/** Lower is more talkative. */
const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/** A sink that writes entries at or above `minLevel()`, which may change while the program runs. */
export function createLogSink(
  { clock, stderr }: { readonly clock: Clock; readonly stderr: CliOutput },
  minLevel: () => LogLevel,
): LogSink {
  return (level, event, fields) => {
    if (RANK[level] < RANK[minLevel()]) return
    const timestamp = formatIsoTime(clock.wallNowMs())
    const line = stderr.isTerminal
      ? `${timestamp.slice(11, 19)} ${level.padEnd(5)} ${event}${formatFields(fields)}`
      : JSON.stringify({ timestamp, level, event, ...fields })
    // stderr never rejects, and a log entry is not worth waiting for.
    void stderr.write(`${line}\n`)
  }
}

function formatFields(fields: LogFields): string {
  return Object.entries(fields)
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? quoteIfNeeded(value) : JSON.stringify(value)}`)
    .join('')
}

/** Quotes what is no plain word, so that control characters of a relay's nickname cannot reach the terminal. */
function quoteIfNeeded(text: string): string {
  return /^[\w.:@/+-]+$/.test(text) ? text : JSON.stringify(text)
}
