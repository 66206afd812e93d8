/**
 * The resolvers of a bulk run: addresses that are asked over UDP, or `tcp://`, `tls://` and `https://` as in `candor query`.
 *
 * Invariant: a list without schemes goes to the sockets of the bulk engine; with one of them all of it goes to the engine for
 * every transport.
 */
import { ConfigError } from '../core/config-error.ts'
import { readText } from '../core/files.ts'
import { isPacedResolver, parseResolverAddress, parseResolverList } from '../measure/bulk/resolver-list.ts'
import type { BulkResolver } from '../net/bulk-backend.ts'
import type { BulkStream } from './bulk-job.ts'
import type { CliContext } from './cli-context.ts'

const RESOLVER_FILE_OCTETS_MAX = 67_108_864
/** Each has a connection; more open at the same time than systems give descriptors. */
const STREAMS_MAX = 512
/** For the address of a host in the list. */
const HOST_TIMEOUT_MS = 5_000

/** What the list says. */
export interface BulkResolverList {
  readonly resolvers: readonly BulkResolver[]
  /** How each of them is asked; `null` when all are asked over UDP by the bulk engine. */
  readonly streams: readonly BulkStream[] | null
}

/** Options that are about resolvers. */
export interface BulkResolverFlags {
  readonly resolvers: string
  /** `false` with `--no-verify`. */
  readonly verify: boolean
  /** Path of certificates. */
  readonly ca?: string
  /** Path of another list, which the options may be for. */
  readonly trusted?: string
}

/** Reads the list. @throws {ConfigError | RunError | FileError} */
export async function readBulkResolvers(context: CliContext, flags: BulkResolverFlags): Promise<BulkResolverList> {
  const path = flags.resolvers
  const list = await readText(context.files, path, RESOLVER_FILE_OCTETS_MAX)
  if (!/^\s*[a-z]+:\/\//im.test(list)) {
    const unused = flags.ca !== undefined ? '--ca' : flags.verify ? undefined : '--no-verify'
    if (unused !== undefined && flags.trusted === undefined) {
      throw new ConfigError(
        unused,
        'there is no resolver over TLS in the list',
        'write tls://HOST or https://HOST/PATH',
      )
    }
    return { resolvers: parseResolverList(list, path, context.addressPlan), streams: null }
  }
  const found = new Map<string, { readonly resolver: BulkResolver; readonly stream: BulkStream }>()
  for (const [index, line] of list.split('\n').entries()) {
    const word = line.replace(/#\s.*$|^#.*$/, '').trim()
    if (word === '' || found.has(word)) continue
    if (found.size === STREAMS_MAX) {
      throw new ConfigError(path, `there are more than ${STREAMS_MAX} resolvers in it`, 'leave out some')
    }
    const stream = await findStream(context, flags, word, `${path}:${index + 1}`)
    const { endpoint } = stream.target
    found.set(word, {
      stream,
      resolver: { ...endpoint, isPaced: isPacedResolver(endpoint.address, context.addressPlan) },
    })
  }
  const all = [...found.values()]
  return { resolvers: all.map(({ resolver }) => resolver), streams: all.map(({ stream }) => stream) }
}

async function findStream(
  context: CliContext,
  { verify, ca }: BulkResolverFlags,
  word: string,
  place: string,
): Promise<BulkStream> {
  if (!word.includes('://')) {
    const endpoint = parseResolverAddress(word)
    if (endpoint !== undefined) return { word, target: { transport: 'udp', endpoint } }
    throw new ConfigError(place, `\`${word}\` is no address of a resolver`, 'as in: 192.0.2.1#53')
  }
  const { findResolver, parseResolver } = await import('./query-resolver.ts')
  const named = parseResolver(word, {
    tcp: false,
    tls: false,
    https: false,
    json: false,
    get: false,
    port: undefined,
    tlsName: undefined,
    isVerified: verify,
    authorities: ca,
  })
  return { word, target: (await findResolver(context, named, HOST_TIMEOUT_MS)).target }
}
