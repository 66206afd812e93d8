/** The flags of `candor query`, and what they mean together. */
import { Option, type Command } from 'commander'
import { parseControl } from '../config/exit-run-extras.ts'
import { choice, duration, integer } from '../config/setting.ts'
import { ConfigError } from '../core/config-error.ts'
import { formatIp, parsePrefix } from '../core/ip-address.ts'
import type { Limit } from '../core/limit.ts'
import type { EdnsOption } from '../dns/edns.ts'
import type { Edns } from '../dns/message.ts'
import { formatRcode } from '../dns/rcode.ts'
import { formatName } from '../dns/name.ts'
import { parseRrType, TYPE_A, TYPE_AAAA } from '../dns/rr-type.ts'
import { parseResolver, type NamedResolver } from './query-resolver.ts'
import { parseVia, type ViaOptions } from './query-via.ts'
import { readQueryWords, type QueryWords } from './query-words.ts'

/** The forms of the answer on stdout. */
const QUERY_FORMATS = ['text', 'short', 'jsonl'] as const
/** A value of `--format`. */
export type QueryFormat = (typeof QUERY_FORMATS)[number]

const TIMEOUT_LIMIT: Limit = {
  default: 5_000,
  min: 1,
  max: 120_000,
  unit: 'ms',
  why: 'as long as dig waits; one question, one attempt',
}
const LATE_WINDOW_LIMIT: Limit = {
  default: 0,
  min: 0,
  max: 60_000,
  unit: 'ms',
  why: 'the first answer is shown at once; 500ms shows what an injector on the path leaves behind it',
}
const BUFFER_LIMIT: Limit = {
  default: 1_232,
  min: 512,
  max: 65_535,
  unit: 'octets',
  why: 'passes nearly everywhere without fragments',
}
const PORT_LIMIT: Limit = { default: 53, min: 1, max: 65_535, unit: '', why: 'DNS' }
const RCODE_MAX = 4_095

/** What is asked of whom, and how the answer is shown. */
export interface QueryPlan extends QueryWords {
  readonly named: NamedResolver
  readonly recursionDesired: boolean
  readonly checkingDisabled: boolean
  /** Whether each exchange spells the name in random case. */
  readonly isCaseMixed: boolean
  /** Options without the cookie. */
  readonly edns: Pick<Edns, 'udpSize' | 'dnssecOk' | 'options'>
  readonly cookie: boolean
  readonly timeoutMs: number
  readonly lateWindowMs: number
  /** Mnemonic; `undefined` when any is right. */
  readonly expectedRcode: string | undefined
  readonly format: QueryFormat | undefined
  /** Whether the delegations are followed from the root. */
  readonly isTraced: boolean
  /** Path of a file with the root servers; `undefined` for the Internet's. */
  readonly rootHints: string | undefined
  /** The Tor exit to ask through; `undefined` to ask directly. */
  readonly via: ViaOptions | undefined
}

interface Flags {
  readonly reverse?: string
  readonly tcp?: boolean
  readonly tls?: boolean
  readonly https?: boolean | string
  readonly jsonDoh?: boolean
  readonly get?: boolean
  readonly tlsName?: string
  readonly verify: boolean
  readonly ca?: string
  readonly port?: string
  readonly dnssec?: boolean
  readonly cd?: boolean
  readonly recurse: boolean
  readonly mixedCase?: boolean
  readonly subnet?: string
  readonly nsid?: boolean
  readonly cookie?: boolean
  readonly bufsize?: string
  readonly lateWindow?: string
  readonly timeout?: string
  readonly expectRcode?: string
  readonly trace?: boolean
  readonly rootHints?: string
  readonly via?: string
  readonly firstHop?: string
  readonly control?: string
  readonly torDir?: string
  readonly torrcAppend?: string
  readonly format?: string
}

/** Adds the flags. */
export function addQueryOptions(command: Command): void {
  command
    .option('-x, --reverse <address>', 'ask for the name of an address')
    .option('--tcp', 'ask over TCP')
    .option('--tls', 'ask over TLS; the certificate is verified')
    .option('--https [path]', 'ask over HTTPS, with POST (path: /dns-query)')
    .option('--get', 'ask over HTTPS, with GET')
    .option('--json-doh', 'ask over HTTPS in the JSON form')
    .option('--tls-name <name>', 'whom the certificate must be for, where it is not the resolver as named')
    .option('--no-verify', 'take any certificate, and show what is wrong with it')
    .option('--ca <file>', 'trust these certificate authorities (PEM) and no others')
    .option('-p, --port <port>', 'port of the resolver, where @RESOLVER names none')
    .option('--dnssec', 'set DO: ask for signatures')
    .option('--cd', 'set CD: ask for data that failed validation too')
    .option('--no-recurse', 'clear RD: ask for what the server itself knows')
    .option('--mixed-case', 'spell the name in random case, which the answer has to repeat (0x20)')
    .option('--subnet <prefix>', 'send a client subnet, 192.0.2.0/24')
    .option('--nsid', "ask for the server's own name")
    .option('--cookie', 'send a new client cookie')
    .option('--bufsize <octets>', `largest answer over UDP (default: ${BUFFER_LIMIT.default})`)
    .option('--trace', 'follow the delegations from the root, and show every step')
    .option('--root-hints <file>', 'with --trace: the root servers, in the form of named.root')
    .option('--via <exit>', 'ask through a Tor exit, tor:FINGERPRINT')
    .option('--first-hop <fingerprint>', 'with --via: the relay to begin with')
    .option('--control <address|socket>', 'with --via: use a Tor that already runs, by its control port')
    .option('--tor-dir <directory>', 'with --via: where our Tor keeps its data')
    .option('--torrc-append <file>', 'with --via: lines for the torrc of our Tor')
    .option('--late-window <duration>', 'go on listening after the first answer, 500ms (default: 0)')
    .option('--timeout <duration>', 'how long to wait for the first answer (default: 5s)')
    .option('--expect-rcode <rcode>', 'end with status 4 when another RCODE comes')
    .addOption(
      new Option('--format <format>', 'form of the answer (default: text on a terminal, jsonl elsewhere)').choices([
        ...QUERY_FORMATS,
      ]),
    )
}

/** Reads words and flags. @throws {ConfigError} When something cannot be used. */
export function readQueryPlan(
  given: readonly string[],
  givenFlags: Flags,
  fallbackResolver: string | undefined,
): QueryPlan {
  const { words, flags } = giveBackWord(given, givenFlags)
  const asked = readQueryWords(words, flags.reverse)
  const via = flags.via === undefined ? undefined : readVia(flags, asked)
  const port = flags.port === undefined ? undefined : read('--port', integer(PORT_LIMIT), flags.port, '53')
  const named = parseResolver(asked.resolver ?? (flags.trace === true ? undefined : fallbackResolver), {
    tcp: flags.tcp === true,
    tls: flags.tls === true,
    https: flags.https ?? false,
    json: flags.jsonDoh === true,
    get: flags.get === true,
    port,
    tlsName: flags.tlsName,
    isVerified: flags.verify,
    authorities: flags.ca,
  })
  if (flags.trace === true && (via !== undefined || (named.transport !== 'udp' && named.transport !== 'tcp')))
    throw new ConfigError('--trace', 'authoritative servers are asked directly, over UDP or TCP', 'leave out the other')
  return {
    ...asked,
    named: via === undefined ? named : throughExit(named),
    recursionDesired: flags.recurse,
    checkingDisabled: flags.cd === true,
    isCaseMixed: flags.mixedCase === true,
    edns: {
      udpSize: read('--bufsize', integer(BUFFER_LIMIT), flags.bufsize ?? String(BUFFER_LIMIT.default), '1232'),
      dnssecOk: flags.dnssec === true,
      options: [
        ...(flags.nsid === true ? [{ kind: 'nsid', octets: new Uint8Array(0) } as const] : []),
        ...(flags.subnet === undefined ? [] : [readSubnet(flags.subnet)]),
      ],
    },
    cookie: flags.cookie === true,
    timeoutMs: read('--timeout', duration(TIMEOUT_LIMIT), flags.timeout ?? '5s', '5s'),
    lateWindowMs: read('--late-window', duration(LATE_WINDOW_LIMIT), flags.lateWindow ?? '0', '500ms'),
    expectedRcode: flags.expectRcode === undefined ? undefined : readRcode(flags.expectRcode),
    format: flags.format === undefined ? undefined : read('--format', choice(QUERY_FORMATS), flags.format, 'text'),
    isTraced: flags.trace === true,
    rootHints: flags.rootHints,
    via,
  }
}

/** `--https www.zone.example`: what follows is a word, since paths begin with a slash. */
function giveBackWord(words: readonly string[], flags: Flags): { words: readonly string[]; flags: Flags } {
  const word = flags.https
  if (typeof word !== 'string' || word.startsWith('/')) return { words, flags }
  const isFirst = words.every((other) => other.startsWith('@') || parseRrType(other) !== undefined)
  return { words: isFirst ? [word, ...words] : [...words, word], flags: { ...flags, https: true } }
}

function throughExit(named: NamedResolver): NamedResolver {
  if (named.transport === 'udp' || named.transport === 'tcp') return { ...named, transport: 'tcp' }
  throw new ConfigError('--via', 'through an exit a resolver is asked over TCP', 'leave out --tls and --https')
}

/** What the resolver of an exit never sees, because Tor carries the name alone. */
const NOT_CARRIED = [
  ['dnssec', 'dnssec'],
  ['cd', 'cd'],
  ['mixed-case', 'mixedCase'],
  ['subnet', 'subnet'],
  ['nsid', 'nsid'],
  ['cookie', 'cookie'],
  ['bufsize', 'bufsize'],
] as const

function readVia(flags: Flags, { name, types, resolver }: QueryWords): ViaOptions {
  const { torDir, torrcAppend, firstHop } = flags
  const control = flags.control === undefined ? undefined : parseControl(flags.control)
  const own = torDir === undefined ? (torrcAppend === undefined ? undefined : '--torrc-append') : '--tor-dir'
  if (control !== undefined && own !== undefined) {
    const reason = 'it is about a Tor of our own, and --control names one that already runs'
    throw new ConfigError(own, reason, 'leave one of them out')
  }
  const options = {
    fingerprint: parseVia('--via', flags.via ?? ''),
    firstHop: firstHop === undefined ? undefined : parseVia('--first-hop', firstHop),
    control,
    torDir,
    torrcAppend,
  }
  if (resolver !== undefined) return options
  const fix = 'name a resolver as well: it is asked over TCP through the exit'
  const word = NOT_CARRIED.find(([, key]) => flags[key] !== undefined)?.[0]
  const flag = word ?? (flags.recurse ? undefined : 'no-recurse')
  if (flag !== undefined) throw new ConfigError(`--${flag}`, 'Tor carries the name to the exit and nothing else', fix)
  if (types.some((type) => type !== TYPE_A && type !== TYPE_AAAA))
    throw new ConfigError('--via', 'the resolver of an exit can be asked for A and AAAA only', fix)
  if (!/^[\w.-]+$/.test(formatName(name)))
    throw new ConfigError(formatName(name), 'Tor carries letters, digits, hyphens and underscores only', fix)
  return options
}

function read<T>(path: string, schema: { safeParse(value: string): Parsed<T> }, text: string, example: string): T {
  const parsed = schema.safeParse(text)
  if (parsed.success) return parsed.data
  const reasons = parsed.error.issues.map(({ message }) => message).join('; ')
  throw new ConfigError(`${path} ${text.slice(0, 40)}`, `it ${reasons}`, `${path} ${example}`)
}

type Parsed<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly error: { readonly issues: readonly { readonly message: string }[] } }

function readSubnet(text: string): EdnsOption {
  const prefix = parsePrefix(text)
  if (prefix === undefined)
    throw new ConfigError(`--subnet ${text.slice(0, 60)}`, 'it is no prefix', '--subnet 192.0.2.0/24')
  return { kind: 'client_subnet', address: formatIp(prefix.octets), sourceBits: prefix.bits, scopeBits: 0 }
}

/** `NXDOMAIN`, `nxdomain`, `3` or `RCODE24`. */
function readRcode(text: string): string {
  const wanted = text.toUpperCase()
  for (let rcode = 0; rcode <= RCODE_MAX; rcode++) {
    const mnemonic = formatRcode(rcode)
    if (wanted === mnemonic || wanted === String(rcode) || wanted === `RCODE${rcode}`) return mnemonic
  }
  throw new ConfigError(`--expect-rcode ${text.slice(0, 40)}`, 'there is no such RCODE', '--expect-rcode NXDOMAIN')
}
