/** What a run is told beside its options: which Tor, and what the command does with the outcome. */
import { ConfigError } from '../core/config-error.ts'
import { parseIp } from '../core/ip-address.ts'
import type { ExitSettings, FailOn, RecordFormat } from './exit-settings.ts'

/** A control port of a Tor that already runs. */
export type ControlTarget =
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/** Settings of a run that the campaign itself does not see. */
export interface ExitRunExtras {
  /** Data directory of our Tor; `null` means a place inside the analysis directory. */
  readonly torDir: string | null
  /** Lines of the file as they are, for the torrc of our Tor; none for one that already runs. */
  readonly torrcAppend: readonly string[]
  /** A Tor that already runs; `null` means one of our own. */
  readonly control: ControlTarget | null
  /** Password of that port; `null` for a port with a cookie or none. Never shown. */
  readonly controlPassword: string | null
  readonly failOn: FailOn
  readonly statusFile: string | null
  readonly skipIfBusy: boolean
  /** `null` means a table on a terminal and JSON Lines elsewhere. */
  readonly format: RecordFormat | null
}

/**
 * Reads the rest of the settings.
 *
 * @param readFile - Reads a file that a setting names.
 * @throws {ConfigError} When a value cannot be used, or `--control` meets options of a Tor of our own.
 */
export async function toExitRunExtras(
  settings: ExitSettings,
  readFile: (option: string, path: string) => Promise<string>,
): Promise<ExitRunExtras> {
  const { torDir, torrcAppend, controlPassword } = settings
  const control = settings.control === null ? null : parseControl(settings.control)
  if (control === null && controlPassword !== null)
    throw new ConfigError(
      'control-password',
      'there is no control port that it could be for',
      '--control 127.0.0.1:9051',
    )
  // Lines for the torrc are not in the way: a configuration for both kinds of Tor may have them.
  if (control !== null && torDir !== null)
    throw new ConfigError(
      '--tor-dir',
      'it is about a Tor of our own, and --control names one that already runs',
      'leave one of them out',
    )
  return {
    torDir,
    torrcAppend:
      torrcAppend === null || control !== null ? [] : (await readFile('--torrc-append', torrcAppend)).split('\n'),
    control,
    controlPassword,
    failOn: settings.failOn,
    statusFile: settings.statusFile,
    skipIfBusy: settings.skipIfBusy,
    format: settings.format,
  }
}

/**
 * Reads `127.0.0.1:9051`, `[::1]:9051`, `9051`, `/run/tor/control` or `unix:/run/tor/control`.
 *
 * @throws {ConfigError} When the text is none of them.
 */
export function parseControl(text: string): ControlTarget {
  const path = text.startsWith('unix:') ? text.slice(5) : text
  if (path.includes('/')) return { kind: 'unix', path }
  const match = /^(?:(?:\[([\da-f:.]+)\]|([\d.]+)):)?(\d{1,5})$/i.exec(text)
  const address = match?.[1] ?? match?.[2] ?? '127.0.0.1'
  const port = Number(match?.[3] ?? 0)
  if (parseIp(address) !== undefined && port >= 1 && port <= 65_535) return { kind: 'tcp', address, port }
  throw new ConfigError(
    '--control',
    `'${text.slice(0, 60)}' is neither an address with a port nor the path of a socket`,
    '--control 127.0.0.1:9051, or --control /run/tor/control',
  )
}
