/**
 * The configuration of a Tor of our own.
 *
 * Appended lines come last, so that they win where Tor takes the last value, and add up where it takes all (`Bridge`,
 * `DirAuthority`). The options on which the session itself rests cannot be appended.
 *
 * Sources: tor(1), Debian's 0.4.9.11; control-spec section 3.1 (`__LeaveStreamsUnattached`) and 3.23 (TAKEOWNERSHIP).
 */
import { ConfigError } from '../core/config-error.ts'
import { quoteControlValue } from './control-parser.ts'

const APPENDED_LINES_MAX = 1_000

/** Options whose other values would break the session, in lower case. */
const OURS: ReadonlySet<string> = new Set([
  '__disablepredictedcircuits',
  '__leavestreamsunattached',
  '__owningcontrollerprocess',
  '__reloadtorrconsighup',
  'clientonly',
  'controlport',
  'controlportwritetofile',
  'controlsocket',
  'cookieauthentication',
  'cookieauthfile',
  'datadirectory',
  'disablenetwork',
  'dnsport',
  'pidfile',
  'runasdaemon',
  'sockspolicy',
  'socksport',
  'usemicrodescriptors',
  'user',
])

/** What differs from one Tor of our own to the next. Paths are absolute. */
export interface TorrcOptions {
  readonly dataDirectory: string
  readonly cookieFile: string
  /** Where Tor writes the address of its control port. */
  readonly controlPortFile: string
  /** A Unix socket for control; `null` for a TCP port on loopback. */
  readonly controlSocket: string | null
  /** Tor ends itself when this process is gone. */
  readonly ownerPid: number
  /** Whether answers in private address space are thrown away by Tor, as on the public network. */
  readonly rejectInternalAddresses: boolean
  readonly appendedLines: readonly string[]
}

/** Both ports belong to one group and isolate nothing: which circuit a stream takes is decided here, not by Tor. */
const NO_ISOLATION = 'SessionGroup=1 NoIsolateClientAddr NoIsolateSOCKSAuth'

/** Formats a torrc. Its lines end with LF. */
export function formatTorrc(options: TorrcOptions): string {
  const control = options.controlSocket === null ? '127.0.0.1:auto' : `unix:${quoteControlValue(options.controlSocket)}`
  const lines = [
    `DataDirectory ${quoteControlValue(options.dataDirectory)}`,
    `ControlPort ${control}`,
    `ControlPortWriteToFile ${quoteControlValue(options.controlPortFile)}`,
    'CookieAuthentication 1',
    `CookieAuthFile ${quoteControlValue(options.cookieFile)}`,
    `__OwningControllerProcess ${options.ownerPid}`,
    `SocksPort 127.0.0.1:auto ${NO_ISOLATION}`,
    `DNSPort 127.0.0.1:auto ${NO_ISOLATION}`,
    'ClientOnly 1',
    'RunAsDaemon 0',
    'Log notice stdout',
    'SafeLogging 1',
    'UseMicrodescriptors 0',
    'FetchDirInfoEarly 1',
    'FetchDirInfoExtraEarly 1',
    'FetchUselessDescriptors 1',
    'UseEntryGuards 0',
    'LearnCircuitBuildTimeout 0',
    'CircuitBuildTimeout 20',
    'CircuitStreamTimeout 60',
    'ConnectionPadding 0',
    `ClientDNSRejectInternalAddresses ${options.rejectInternalAddresses ? 1 : 0}`,
    ...options.appendedLines,
  ]
  return `${lines.join('\n')}\n`
}

/**
 * Checks the lines of a file that a person wants appended.
 *
 * @param path - The file, for the error.
 * @returns The lines without comments and blanks.
 * @throws {ConfigError} When a line sets an option on which the session rests.
 */
export function checkAppendedLines(lines: readonly string[], path: string): readonly string[] {
  const kept: string[] = []
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const where = `${path}:${index + 1}`
    const option = (/^[+/]?(\w+)/.exec(line)?.[1] ?? '').toLowerCase()
    if (OURS.has(option)) {
      throw new ConfigError(where, `${line.split(/\s/, 1)[0] ?? ''} is set by the run itself`, 'leave this line out')
    }
    // Control characters would end the line early or hide what stands in it.
    if (/[\0\r\n]/.test(line)) throw new ConfigError(where, 'a line with control characters', 'one option per line')
    kept.push(line)
    if (kept.length > APPENDED_LINES_MAX) {
      throw new ConfigError(where, `more than ${APPENDED_LINES_MAX} lines`, 'use %include for long lists')
    }
  }
  return kept
}
