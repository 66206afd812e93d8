/** Where a Tor takes commands: a TCP port on loopback or a Unix socket. */
import type { Clock } from '../core/clock.ts'
import { ConfigError } from '../core/config-error.ts'
import { isIpv6, parseIp } from '../core/ip-address.ts'
import { formatEndpoint, type Net } from '../net/net.ts'
import { createControlClient, type ControlClient } from './control-client.ts'

/** A Tor that does not even accept the connection within this time is stuck. */
const CONNECT_TIMEOUT_MS = 5_000

/** A control port. */
export type ControlAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }

/**
 * Parses `127.0.0.1:9051`, `[::1]:9051`, `/run/tor/control` or `unix:/run/tor/control`.
 *
 * @throws {ConfigError} When it is none of these, or not on this machine.
 */
export function parseControlAddress(text: string): ControlAddress {
  const path = text.startsWith('unix:') ? text.slice(5) : text
  if (path.startsWith('/')) return { kind: 'unix', path }
  const match = /^\[?([\da-fA-F.:]+?)\]?:(\d{1,5})$/.exec(text)
  const address = match?.[1] ?? ''
  const port = Number(match?.[2])
  const octets = parseIp(address)
  if (octets === undefined || !(port >= 1 && port <= 65_535)) {
    throw new ConfigError(
      '--control',
      `\`${text}\` is no control port`,
      '--control 127.0.0.1:9051, or --control /run/tor/control',
    )
  }
  const isLoopback = isIpv6(address) ? octets.every((octet, i) => octet === (i === 15 ? 1 : 0)) : octets[0] === 127
  if (!isLoopback) {
    throw new ConfigError(
      '--control',
      `${address} is not on this machine, and control connections are not encrypted`,
      'run the command where that Tor runs: --control 127.0.0.1:9051',
    )
  }
  return { kind: 'tcp', address, port }
}

/** Formats an address as {@link parseControlAddress} takes it. */
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
