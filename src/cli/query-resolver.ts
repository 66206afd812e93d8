/**
 * Whom `candor query` asks: from `@RESOLVER` and the flags of transports to an address, a port and a transport.
 *
 * `IP[#port]`, a host name, `tcp://host[:port]`, `tls://host[:port]`, `https://host[:port]/path`, a name from
 * the list of public resolvers, or nothing: then the first resolver of the system.
 */
import { ConfigError, RunError } from '../core/config-error.ts'
import { canonicalIp } from '../core/ip-address.ts'
import { parseName } from '../dns/name.ts'
import { PUBLIC_RESOLVERS, type PublicResolver } from '../vantages/public-resolvers.ts'
import type { ResolverTarget } from '../vantages/resolver.ts'
import type { CliContext } from './cli-context.ts'
import { readNamedFile } from './load-settings.ts'
import { findHostAddress, readSystemResolvers } from './system-resolver.ts'

/** How a question goes: as a resolver is spoken to, or `tor` to the resolver of an exit. */
export type QueryTransport = ResolverTarget['transport'] | 'tor'

const PORTS: Readonly<Record<ResolverTarget['transport'], number>> = {
  udp: 53,
  tcp: 53,
  tls: 853,
  https: 443,
  https_json: 443,
}

/** What the flags say about the transport. */
export interface TransportFlags {
  readonly tcp: boolean
  readonly tls: boolean
  /** `--https`: `true`, or the path. */
  readonly https: boolean | string
  readonly json: boolean
  /** `--get`: ask over HTTPS with GET. */
  readonly get: boolean
  /** `--port`; `undefined` for the port of the transport. */
  readonly port: number | undefined
  /** `--tls-name`; `undefined` for the name or address that the resolver was given by. */
  readonly tlsName: string | undefined
  readonly isVerified: boolean
  /** Path of `--ca`. */
  readonly authorities: string | undefined
}

/** A resolver as it was named. */
export interface NamedResolver extends Pick<TransportFlags, 'tlsName' | 'isVerified' | 'authorities' | 'get'> {
  readonly transport: ResolverTarget['transport']
  /** An address or a host name; `undefined` for the system's first resolver. */
  readonly host: string | undefined
  /** The address of a host from the list; `undefined` when it has to be found. */
  readonly knownAddress: string | undefined
  /** `undefined` for the port of the transport. */
  readonly port: number | undefined
  /** Of the URL; of no meaning without HTTPS. */
  readonly path: string
}

/** A resolver with its address. */
export interface FoundResolver {
  readonly target: ResolverTarget
  /** The name that it was given by; `null` for an address. */
  readonly host: string | null
  /** Where the address came from: a file or a resolver; `null` when it was given. */
  readonly source: string | null
}

const EXAMPLES =
  '@192.0.2.53, @192.0.2.53#5300, @[2001:db8::53]:5300, @tls://dns.zone.example, @https://dns.zone.example/dns-query, @quad9'

/** RFC 8484 leaves it open; nearly everybody has this one. */
const PATH_DEFAULT = '/dns-query'

/** Reads the text behind `@`. @throws {ConfigError} When it is no resolver, or contradicts a flag. */
export function parseResolver(text: string | undefined, flags: TransportFlags): NamedResolver {
  const scheme = /^([a-z]+):\/\//i.exec(text ?? '')?.[1]?.toLowerCase()
  const transport = chooseTransport(scheme, flags)
  const { tlsName, isVerified, authorities, get } = flags
  const path = typeof flags.https === 'string' ? readPath(flags.https) : PATH_DEFAULT
  const named = { transport, tlsName, isVerified, authorities, get, path, knownAddress: undefined }
  if (text === undefined) return { ...named, host: undefined, port: flags.port }
  const rest = scheme === undefined ? text : text.slice(scheme.length + 3)
  const slash = scheme === 'https' ? rest.indexOf('/') : -1
  const place = slash < 0 ? rest.replace(/\/$/, '') : rest.slice(0, slash)
  const match =
    /^\[([^\]]+)\](?:[#:](\d{1,5}))?$/.exec(place) ??
    (scheme === undefined ? /^([^#]+?)(?:#(\d{1,5}))?$/ : /^([^:/#]+)(?::(\d{1,5}))?$/).exec(place)
  const host = readHost(match?.[1] ?? '')
  const port = match?.[2] === undefined ? flags.port : Number(match[2])
  const listed = scheme === undefined ? PUBLIC_RESOLVERS.get(host?.toLowerCase() ?? '') : undefined
  if (listed !== undefined) return { ...named, ...nameListed(text, listed, flags), port }
  if (host === undefined || (port !== undefined && (port < 1 || port > 65_535)))
    throw new ConfigError(`@${text.slice(0, 80)}`, 'it names no resolver', EXAMPLES)
  return { ...named, host, port, path: slash < 0 || slash === rest.length - 1 ? path : readPath(rest.slice(slash)) }
}

/** A resolver from the list has its address with it; its certificate is for its host. */
function nameListed(
  text: string,
  { address, host, jsonPath }: PublicResolver,
  { json, https }: TransportFlags,
): Pick<NamedResolver, 'host' | 'knownAddress'> & Partial<Pick<NamedResolver, 'path'>> {
  if (!json || typeof https === 'string') return { host, knownAddress: address }
  if (jsonPath !== undefined) return { host, knownAddress: address, path: jsonPath }
  throw new ConfigError(`@${text}`, 'this resolver has no JSON form', 'leave out --json-doh')
}

function chooseTransport(scheme: string | undefined, flags: TransportFlags): ResolverTarget['transport'] {
  if (scheme !== undefined && scheme !== 'tcp' && scheme !== 'tls' && scheme !== 'https')
    throw new ConfigError(`@${scheme}://`, 'there is no transport of that name', EXAMPLES)
  const wanted = [
    ...(flags.tcp || scheme === 'tcp' ? ['--tcp'] : []),
    ...(flags.tls || scheme === 'tls' ? ['--tls'] : []),
    ...(flags.https !== false || flags.json || flags.get || scheme === 'https' ? ['--https'] : []),
  ]
  const [first, second] = wanted
  if (second !== undefined) throw new ConfigError(`${first}`, `it contradicts ${second}`, `leave out ${first}`)
  if (first === '--https') return flags.json ? 'https_json' : 'https'
  return first === '--tls' ? 'tls' : first === '--tcp' ? 'tcp' : 'udp'
}

/** A path of a URL as it is sent: printable ASCII without query. */
function readPath(text: string): string {
  if (/^\/[!-~]{0,1000}$/.test(text) && !/[?#]/.test(text)) return text
  throw new ConfigError(`--https=${text.slice(0, 80)}`, 'it is no path', '--https=/dns-query')
}

/** Finds the address of a resolver. @throws {RunError} When there is none. */
export async function findResolver(
  context: CliContext,
  named: NamedResolver,
  timeoutMs: number,
): Promise<FoundResolver> {
  const { transport, host } = named
  const port = named.port ?? PORTS[transport]
  const { address, source } = await findAddress(context, named, timeoutMs)
  const isName = host !== undefined && canonicalIp(host) === undefined
  return {
    target: await makeTarget(context, named, { address, port }, named.tlsName ?? (isName ? host : address)),
    host: isName ? host : null,
    source,
  }
}

async function findAddress(
  context: CliContext,
  { host, knownAddress }: NamedResolver,
  timeoutMs: number,
): Promise<{ readonly address: string; readonly source: string | null }> {
  if (host === undefined) {
    const [first] = await readSystemResolvers(context)
    if (first === undefined) throw new RunError('/etc/resolv.conf names no resolver', 'name one: @192.0.2.53')
    return { address: first.address, source: '/etc/resolv.conf' }
  }
  if (knownAddress !== undefined) return { address: knownAddress, source: 'the list of public resolvers' }
  const literal = canonicalIp(host)
  return literal === undefined ? findHostAddress(context, host, timeoutMs) : { address: literal, source: null }
}

async function makeTarget(
  { files }: CliContext,
  named: NamedResolver,
  endpoint: ResolverTarget['endpoint'],
  serverName: string,
): Promise<ResolverTarget> {
  const { transport, authorities, path, get } = named
  if (transport === 'udp' || transport === 'tcp') return { transport, endpoint }
  const trusted = authorities === undefined ? undefined : await readNamedFile(files, '--ca', authorities)
  const tls = {
    endpoint,
    serverName: serverName.replace(/\.$/, ''),
    mode: named.isVerified ? 'strict' : 'opportunistic',
    ...(trusted === undefined ? {} : { authorities: trusted }),
  } as const
  if (transport === 'tls') return { transport, ...tls }
  const host = tls.serverName.includes(':') ? `[${tls.serverName}]` : tls.serverName
  const authority = endpoint.port === PORTS.https ? host : `${host}:${endpoint.port}`
  const form = transport === 'https_json' ? 'json' : get ? 'get' : 'post'
  return { transport, ...tls, authority, path, form }
}

/** An address, or a host name; not a number in disguise. */
function readHost(text: string): string | undefined {
  if (canonicalIp(text) !== undefined) return text
  const labels = text.replace(/\.$/, '').split('.')
  const isName =
    labels.every((label) => /^[\w-]{1,63}$/.test(label)) && !/^(\d+|0x[\da-f]*)$/i.test(labels.at(-1) ?? '')
  return isName && parseName(text) !== undefined ? text : undefined
}
