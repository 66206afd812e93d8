/** Where a Tor takes commands: a TCP port on loopback or a Unix socket. */
import type { Clock } from '../core/clock.ts'
import { ConfigError } from '../core/config-error.ts'
import { formatIp, parseIp } from '../core/ip-address.ts'
import { formatEndpoint, type Net } from '../net/net.ts'
import { createControlClient, type ControlClient } from './control-client.ts'

/** A Tor that does not even accept the connection within this time is stuck. */
const CONNECT_TIMEOUT_MS = 5_000

/** A control port. */
export type ControlAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }

/**
 * Control connections are not encrypted and DNS questions go to the same machine, so they stay on this one.
 *
 * @throws {ConfigError} When the address is not a loopback address.
 */
export function requireLocalControl(control: ControlAddress): void {
  if (control.kind === 'unix') return
  const octets = parseIp(control.address)
  if (octets !== undefined && (octets.length === 4 ? octets[0] === 127 : formatIp(octets) === '::1')) return
  throw new ConfigError(
    '--control',
    `${control.address} is not on this machine, and control connections are not encrypted`,
    'run the command where that Tor runs: --control 127.0.0.1:9051',
  )
}

/** Formats an address as `--control` takes it. */
export function formatControlAddress(control: ControlAddress): string {
  return control.kind === 'unix' ? control.path : formatEndpoint(control)
}

/** Connects to a control port. @throws {NetError} */
export async function connectControl(net: Net, clock: Clock, control: ControlAddress): Promise<ControlClient> {
  const connection =
    control.kind === 'unix'
      ? await net.connectUnix({ path: control.path }, CONNECT_TIMEOUT_MS)
      : await net.connectTcp({ address: control.address, port: control.port }, CONNECT_TIMEOUT_MS)
  return createControlClient(connection, clock)
}
