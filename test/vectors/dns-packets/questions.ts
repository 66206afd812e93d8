/** What the servers are asked. */
import { encodeMessage, encodeQuery, type QueryFields } from '../../../src/dns/encode-message.ts'
import { type Name, parseName } from '../../../src/dns/name.ts'
import { CLASS_CH, parseRrType } from '../../../src/dns/rr-type.ts'

/** One query and how it travels. */
export interface Ask {
  /** Name and type as text, or what else the query is. */
  readonly what: string
  readonly transport: 'udp' | 'tcp' | 'tls'
  readonly request: Uint8Array
}

const CLIENT_COOKIE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

const BY_TYPE = [
  '@ SOA',
  '@ NS',
  '@ MX',
  '@ CAA',
  '@ TXT',
  'a A',
  'aaaa AAAA',
  'www A',
  'WwW A',
  'alias A',
  'chain1 A',
  'away A',

  'ptr PTR',
  'txt TXT',
  'longtext TXT',
  '_dns._udp SRV',
  'naptr NAPTR',
  'ds DS',
  '_443._tcp.www TLSA',
  '_53._tcp TLSA',

  'https HTTPS',
  'alias-https HTTPS',
  'svcb SVCB',
  'x.dname A',
  'dname DNAME',
  'sshfp SSHFP',
  'hinfo HINFO',
  'loc LOC',
  'uri URI',
  'rp RP',
  'openpgp OPENPGPKEY',
  'cds CDS',
  'private TYPE65280',
  'private-empty TYPE65281',
  'many A',

  'x.wild A',
  'x.y.wild TXT',
  'non-terminal A',
  'nope A',
  'a AAAA',
  'x.child A',
  'child DS',
  'x.insecure A',
  '@ ANY',
  String.raw`esc\.aped\;\(\) A`,
  String.raw`\000\255\032x TXT`,
  `${'l'.repeat(63)}.${'m'.repeat(63)}.${'n'.repeat(63)} A`,
]

let nextId = 1

function query(text: string, fields: Partial<QueryFields> = {}): Uint8Array {
  const space = text.lastIndexOf(' ')
  const name = parseName(text.slice(0, space)) as Name
  const type = parseRrType(text.slice(space + 1)) as number
  return encodeQuery({ id: nextId++, name, type, recursionDesired: false, ...fields })
}

function inZone(question: string, zone: string): string {
  return question.startsWith('@ ') ? `${zone}${question.slice(1)}` : question.replace(/ (\S+)$/, `.${zone} $1`)
}

/** For the servers with the zones. */
export function authoritativeAsks(): readonly Ask[] {
  const asks: Ask[] = []
  const add = (what: string, fields: Partial<QueryFields> = {}, transport: Ask['transport'] = 'udp'): void => {
    asks.push({ what, transport, request: query(what, fields) })
  }
  for (const question of BY_TYPE) {
    add(inZone(question, 'types.example'), { edns: {} })
    if (!/CNAME|LOC|URI|CDS|RP|alias|PGP/.test(question))
      add(inZone(question, 'nsec.example'), { edns: { dnssecOk: true } }, 'tcp')
  }
  for (const question of [
    'a A',
    'nope A',
    'a AAAA',
    'x.wild A',
    'x.insecure A',
    'x.child A',
    'https HTTPS',
    '@ DNSKEY',
    '@ NSEC3PARAM',
  ]) {
    add(inZone(question, 'nsec3.example'), { edns: { dnssecOk: true } })
  }
  for (const question of ['@ DNSKEY', '@ RRSIG', 'a NSEC', 'a RRSIG']) {
    add(inZone(question, 'nsec.example'), { edns: { dnssecOk: true, udpSize: 4096 } })
  }
  add('key.types.example DNSKEY')
  add('a.types.example A')
  add('many.types.example A')
  add('longtext.types.example TXT', { edns: { udpSize: 512 } })
  add('many.types.example A', {}, 'tcp')
  add('types.example AXFR', {}, 'tcp')
  add('nsec.example AXFR', {}, 'tcp')
  add('types.example IXFR', {}, 'tcp')
  add('outside.test A', { edns: {} })
  add('. NS', { edns: {} })
  add('a.types.example A', { recursionDesired: true, authenticData: true, checkingDisabled: true })
  return [...asks, ...ednsAsks('a.types.example A'), ...chaosAsks(), ...oddAsks()]
}

/** For a resolver or forwarder in front of them. */
export function recursiveAsks(): readonly Ask[] {
  const asks: Ask[] = []
  const add = (what: string, fields: Partial<QueryFields> = {}, transport: Ask['transport'] = 'udp'): void => {
    asks.push({ what, transport, request: query(what, { recursionDesired: true, ...fields }) })
  }
  for (const question of BY_TYPE) add(inZone(question, 'types.example'), { edns: {} })
  for (const question of ['a A', 'nope A', 'a AAAA', 'x.wild A', 'https HTTPS', '@ DNSKEY', '@ MX', 'txt TXT']) {
    add(inZone(question, 'nsec.example'), { edns: { dnssecOk: true } })
    add(inZone(question, 'nsec3.example'), { edns: { dnssecOk: true } }, 'tcp')
    add(inZone(question, 'nsec.example'), { authenticData: true })
  }
  add('a.bogus.example A', { edns: {} })
  add('a.bogus.example A', { edns: { dnssecOk: true }, checkingDisabled: true })
  for (const name of ['spoof', 'refused', 'nx', 'tc', 'servfail', 'local', 'x.local', 'block', 'outside']) {
    add(`${name}.test A`, { edns: {} })
    add(`${name}.test AAAA`)
  }
  add('many.types.example A')
  add('many.types.example A', {}, 'tcp')
  return [...asks, ...ednsAsks('a.types.example A', true), ...chaosAsks(), ...oddAsks()]
}

/** For a server that speaks TLS: the only place where padding is answered. */
export function tlsAsks(): readonly Ask[] {
  const options = [{ kind: 'padding', sizeOctets: 30 }] as const
  return ['a A', 'txt TXT', '@ SOA'].map((question) => {
    const what = inZone(question, 'types.example')
    return { what: `${what} padded`, transport: 'tls', request: query(what, { edns: { options } }) }
  })
}

function ednsAsks(question: string, recursionDesired = false): readonly Ask[] {
  const subnet = { kind: 'client_subnet', address: '192.0.2.0', sourceBits: 24, scopeBits: 0 } as const
  const subnet6 = { kind: 'client_subnet', address: '2001:db8::', sourceBits: 56, scopeBits: 0 } as const
  const cookie = { kind: 'cookie', client: CLIENT_COOKIE, server: new Uint8Array(0) } as const
  const badCookie = { kind: 'cookie', client: CLIENT_COOKIE, server: new Uint8Array(16) } as const
  const nsid = { kind: 'nsid', octets: new Uint8Array(0) } as const
  const unknown = { kind: 'unknown', code: 65_001, octets: Uint8Array.of(1, 2, 3) } as const
  const brokenSubnet = { kind: 'unknown', code: 8, octets: Uint8Array.of(0, 9, 1) } as const
  const cases = [
    ['nsid', { options: [nsid] }],
    ['subnet', { options: [subnet] }],
    ['subnet, IPv6', { options: [subnet6] }],
    ['cookie', { options: [cookie] }],
    ['bad cookie', { options: [badCookie] }],
    ['all options', { options: [nsid, subnet, cookie, unknown] }],
    ['broken subnet', { options: [brokenSubnet] }],
    ['version 1', { version: 1 }],
    ['reserved flags', { reservedFlags: 0x7fff }],
    ['UDP size 0', { udpSize: 0 }],
  ] as const
  return cases.map(([what, edns]) => ({
    what: `${question}, ${what}`,
    transport: 'udp',
    request: query(question, { edns, recursionDesired }),
  }))
}

function chaosAsks(): readonly Ask[] {
  return ['version.bind TXT', 'id.server TXT', 'hostname.bind TXT', 'version.server TXT', 'authors.bind TXT'].map(
    (what) => ({ what: `${what} CH`, transport: 'udp', request: query(what, { class: CLASS_CH }) }),
  )
}

/** What a server should refuse or not understand. */
function oddAsks(): readonly Ask[] {
  const header = {
    id: 0xfffe,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: false,
    recursionAvailable: false,
    reserved: true,
    authenticData: false,
    checkingDisabled: false,
    rcode: 0,
  }
  const question = { name: parseName('a.types.example') as Name, type: 1, class: 1 }
  const empty = { questions: [question], answers: [], authorities: [], additionals: [], edns: undefined }
  const message = (what: string, request: Uint8Array): Ask => ({ what, transport: 'udp', request })
  return [
    ...[1, 2, 4, 5, 6, 15].map((opcode) =>
      message(`opcode ${opcode}`, encodeMessage({ ...empty, header: { ...header, opcode } })),
    ),
    message('reserved bit', encodeMessage({ ...empty, header })),
    message('no question', encodeMessage({ ...empty, header, questions: [] })),
    message('two questions', encodeMessage({ ...empty, header, questions: [question, { ...question, type: 28 }] })),
    message('class 32', encodeMessage({ ...empty, header, questions: [{ ...question, class: 32 }] })),
    message('type 0', encodeMessage({ ...empty, header, questions: [{ ...question, type: 0 }] })),
    message('half a question', encodeMessage({ ...empty, header }).subarray(0, 20)),
    message('octets behind', Uint8Array.of(...encodeMessage({ ...empty, header }), 1, 2, 3)),
  ]
}
