/**
 * Whom `candor query` asks: from `@RESOLVER` and the flags of transports to an address, a port and a transport.
 *
 * `IP[#port]`, a host name, or nothing: then the first resolver of the system.
 */
import { ConfigError, RunError } from '../core/config-error.ts'
import { canonicalIp } from '../core/ip-address.ts'
import { parseName } from '../dns/name.ts'
import type { CliContext } from './cli-context.ts'
import { findHostAddress, readSystemResolvers } from './system-resolver.ts'

const DNS_PORT = 53

/** How a resolver is spoken to. */
export type QueryTransport = 'udp' | 'tcp'

/** What the flags say about the transport. */
export interface TransportFlags {
  readonly tcp: boolean
  /** `--port`; `undefined` for the port of the transport. */
  readonly port: number | undefined
}

/** A resolver as it was named. */
export interface NamedResolver {
  readonly transport: QueryTransport
  /** An address or a host name; `undefined` for the system's first resolver. */
  readonly host: string | undefined
  /** `undefined` for the port of the transport. */
  readonly port: number | undefined
}

/** A resolver with its address. */
export interface FoundResolver {
  readonly transport: QueryTransport
  readonly address: string
  readonly port: number
  /** The name that it was given by; `null` for an address. */
  readonly host: string | null
  /** Where the address came from: a file or a resolver; `null` when it was given. */
  readonly source: string | null
}

/** Reads the text behind `@`. @throws {ConfigError} When it is no resolver. */
export function parseResolver(text: string | undefined, flags: TransportFlags): NamedResolver {
  const transport = flags.tcp ? 'tcp' : 'udp'
  if (text === undefined) return { transport, host: undefined, port: flags.port }
  const match = /^\[([^\]]+)\](?:[#:](\d{1,5}))?$/.exec(text) ?? /^([^#]+?)(?:#(\d{1,5}))?$/.exec(text)
  const host = readHost(match?.[1] ?? '')
  const port = match?.[2] === undefined ? flags.port : Number(match[2])
  if (host !== undefined && (port === undefined || (port >= 1 && port <= 65_535))) return { transport, host, port }
  throw new ConfigError(
    `@${text.slice(0, 80)}`,
    'it names no resolver',
    '@192.0.2.53, @192.0.2.53#5300, @[2001:db8::53]:5300',
  )
}

/** Finds the address of a resolver. @throws {RunError} When there is none. */
export async function findResolver(
  context: CliContext,
  { transport, host, port }: NamedResolver,
  timeoutMs: number,
): Promise<FoundResolver> {
  if (host === undefined) {
    const [first] = await readSystemResolvers(context)
    if (first === undefined) throw new RunError('/etc/resolv.conf names no resolver', 'name one: @192.0.2.53')
    return { transport, address: first.address, port: port ?? first.port, host: null, source: '/etc/resolv.conf' }
  }
  const wanted = port ?? DNS_PORT
  const literal = canonicalIp(host)
  if (literal !== undefined) return { transport, address: literal, port: wanted, host: null, source: null }
  const { address, source } = await findHostAddress(context, host, timeoutMs)
  return { transport, address, port: wanted, host, source }
}

/** An address, or a host name; not a number in disguise. */
function readHost(text: string): string | undefined {
  if (canonicalIp(text) !== undefined) return text
  const labels = text.replace(/\.$/, '').split('.')
  const isName =
    labels.every((label) => /^[\w-]{1,63}$/.test(label)) && !/^(\d+|0x[\da-f]*)$/i.test(labels.at(-1) ?? '')
  return isName && parseName(text) !== undefined ? text : undefined
}
