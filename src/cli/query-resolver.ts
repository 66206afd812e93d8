/**
 * Whom `candor query` asks: from `@RESOLVER` and the flags of transports to an address, a port and a transport.
 *
 * `IP[#port]`, a host name, `tls://host[:port]`, or nothing: then the first resolver of the system.
 */
import { ConfigError, RunError } from '../core/config-error.ts'
import { canonicalIp } from '../core/ip-address.ts'
import { parseName } from '../dns/name.ts'
import type { ResolverTarget } from '../vantages/resolver.ts'
import type { CliContext } from './cli-context.ts'
import { readNamedFile } from './exit-run-options.ts'
import { findHostAddress, readSystemResolvers } from './system-resolver.ts'

/** How a resolver is spoken to. */
export type QueryTransport = 'udp' | 'tcp' | 'tls'

const PORTS: Readonly<Record<QueryTransport, number>> = { udp: 53, tcp: 53, tls: 853 }

/** What the flags say about the transport. */
export interface TransportFlags {
  readonly tcp: boolean
  readonly tls: boolean
  /** `--port`; `undefined` for the port of the transport. */
  readonly port: number | undefined
  /** `--tls-name`; `undefined` for the name or address that the resolver was given by. */
  readonly tlsName: string | undefined
  readonly isVerified: boolean
  /** Path of `--ca`. */
  readonly authorities: string | undefined
}

/** A resolver as it was named. */
export interface NamedResolver extends Pick<TransportFlags, 'tlsName' | 'isVerified' | 'authorities'> {
  readonly transport: QueryTransport
  /** An address or a host name; `undefined` for the system's first resolver. */
  readonly host: string | undefined
  /** `undefined` for the port of the transport. */
  readonly port: number | undefined
}

/** A resolver with its address. */
export interface FoundResolver {
  readonly target: ResolverTarget
  /** The name that it was given by; `null` for an address. */
  readonly host: string | null
  /** Where the address came from: a file or a resolver; `null` when it was given. */
  readonly source: string | null
}

const EXAMPLES = '@192.0.2.53, @192.0.2.53#5300, @[2001:db8::53]:5300, @tls://dns.zone.example'

/** Reads the text behind `@`. @throws {ConfigError} When it is no resolver, or contradicts a flag. */
export function parseResolver(text: string | undefined, flags: TransportFlags): NamedResolver {
  const scheme = /^([a-z]+):\/\//i.exec(text ?? '')?.[1]?.toLowerCase()
  const transport = chooseTransport(scheme, flags)
  const { tlsName, isVerified, authorities } = flags
  const named = { transport, tlsName, isVerified, authorities }
  if (text === undefined) return { ...named, host: undefined, port: flags.port }
  const rest = scheme === undefined ? text : text.slice(scheme.length + 3)
  const match =
    /^\[([^\]]+)\](?:[#:](\d{1,5}))?$/.exec(rest) ??
    (scheme === undefined ? /^([^#]+?)(?:#(\d{1,5}))?$/ : /^([^:/#]+)(?::(\d{1,5}))?\/?$/).exec(rest)
  const host = readHost(match?.[1] ?? '')
  const port = match?.[2] === undefined ? flags.port : Number(match[2])
  if (host !== undefined && (port === undefined || (port >= 1 && port <= 65_535))) return { ...named, host, port }
  throw new ConfigError(`@${text.slice(0, 80)}`, 'it names no resolver', EXAMPLES)
}

function chooseTransport(scheme: string | undefined, { tcp, tls }: TransportFlags): QueryTransport {
  if (scheme !== undefined && scheme !== 'tls')
    throw new ConfigError(`@${scheme}://`, 'there is no transport of that name', EXAMPLES)
  if (tcp && (tls || scheme !== undefined))
    throw new ConfigError('--tcp', 'a question goes over one transport', 'leave out --tcp')
  if (tls || scheme === 'tls') return 'tls'
  return tcp ? 'tcp' : 'udp'
}

/** Finds the address of a resolver. @throws {RunError} When there is none. */
export async function findResolver(
  context: CliContext,
  named: NamedResolver,
  timeoutMs: number,
): Promise<FoundResolver> {
  const { transport, host } = named
  const port = named.port ?? PORTS[transport]
  const { address, source } = await findAddress(context, host, timeoutMs)
  const isName = host !== undefined && canonicalIp(host) === undefined
  return {
    target: await makeTarget(context, named, { address, port }, named.tlsName ?? (isName ? host : address)),
    host: isName ? host : null,
    source,
  }
}

async function findAddress(
  context: CliContext,
  host: string | undefined,
  timeoutMs: number,
): Promise<{ readonly address: string; readonly source: string | null }> {
  if (host === undefined) {
    const [first] = await readSystemResolvers(context)
    if (first === undefined) throw new RunError('/etc/resolv.conf names no resolver', 'name one: @192.0.2.53')
    return { address: first.address, source: '/etc/resolv.conf' }
  }
  const literal = canonicalIp(host)
  return literal === undefined ? findHostAddress(context, host, timeoutMs) : { address: literal, source: null }
}

async function makeTarget(
  { files }: CliContext,
  { transport, isVerified, authorities }: NamedResolver,
  endpoint: ResolverTarget['endpoint'],
  serverName: string,
): Promise<ResolverTarget> {
  if (transport === 'udp' || transport === 'tcp') return { transport, endpoint }
  const trusted = authorities === undefined ? undefined : await readNamedFile(files, '--ca', authorities)
  return {
    transport,
    endpoint,
    serverName: serverName.replace(/\.$/, ''),
    mode: isVerified ? 'strict' : 'opportunistic',
    ...(trusted === undefined ? {} : { authorities: trusted }),
  }
}

/** An address, or a host name; not a number in disguise. */
function readHost(text: string): string | undefined {
  if (canonicalIp(text) !== undefined) return text
  const labels = text.replace(/\.$/, '').split('.')
  const isName =
    labels.every((label) => /^[\w-]{1,63}$/.test(label)) && !/^(\d+|0x[\da-f]*)$/i.test(labels.at(-1) ?? '')
  return isName && parseName(text) !== undefined ? text : undefined
}
