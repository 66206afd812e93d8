/**
 * An answer for people, in the form that dig made familiar: header, EDNS, sections, and how it came about.
 *
 * Invariant: nothing from the network reaches the terminal that could move its cursor or hide text.
 */
import { assertNever } from '../core/assert.ts'
import type { ExchangeView, QueryRecord, TlsView, TraceView } from './query-record.ts'
import type { MessageView, OptionView, QuestionView, RecordView, ResponseView } from './query-view.ts'

const TRANSPORT_NAMES = {
  udp: 'UDP',
  tcp: 'TCP',
  tls: 'TLS',
  https: 'HTTPS',
  https_json: 'HTTPS (JSON)',
  tor: 'Tor',
} as const

/** Formats everything that came of a question. */
export function formatQueryText(record: QueryRecord): string {
  if (record.trace !== null && record.trace.outcome !== 'answer') return formatWay(record, record.trace)
  const lines = [`; candor query ${formatQuestion(record)}, asked of ${formatResolver(record)}`]
  if (record.tls !== null) lines.push(formatTls(record.tls))
  for (const exchange of record.exchanges) lines.push(...formatExchange(record, exchange))
  return `${lines.join('\n')}\n\n`
}

/** A step of a trace that is not the answer: who was asked, and where it led. */
function formatWay(record: QueryRecord, trace: TraceView): string {
  const server = `${trace.server ?? 'the server'} (${record.resolver?.address}#${record.resolver?.port})`
  const last = record.exchanges.at(-1)
  const time = last?.responses[0]?.elapsed_ms ?? last?.failure?.elapsed_ms ?? 0
  const message = last?.responses[0]?.message
  const shown =
    trace.outcome === 'alias'
      ? message?.answers
      : message?.authorities.filter(({ type }) => type === 'NS' || type === 'DS')
  const names = (shown ?? []).map((entry) => `${printable(formatRecord(entry))}\n`)
  const head = `;; ${trace.step}: ${trace.zone} asked ${server} for ${record.query_name} ${record.query_type}`
  return `${printable(`${head}: ${formatLead(trace)} after ${time} ms`)}\n${names.join('')}\n`
}

function formatLead({ outcome, next_zone: zone, next_name: name, reason }: TraceView): string {
  if (outcome === 'alias') return `alias of ${name ?? ''}`
  return outcome === 'referral' ? `referral to ${zone ?? ''}` : `dead end, ${reason ?? ''}`
}

function formatTls({ protocol, cipher, server_name: name, distrust }: TlsView): string {
  const trust = distrust === null ? `verified for ${name}` : `NOT verified for ${name}: ${distrust}`
  return `;; ${protocol}, ${cipher}, certificate ${trust}`
}

function formatQuestion(record: QueryRecord): string {
  return printable(`${record.query_name} ${record.query_class} ${record.query_type}`)
}

function formatResolver({ resolver, via }: QueryRecord): string {
  const exit =
    via === null ? '' : `the exit ${printable(via.nickname)} (${via.address}, ${via.fingerprint}, over ${via.path[0]})`
  if (resolver === null) return `the resolver of ${exit}`
  const server = `${resolver.address}#${resolver.port}`
  const host = resolver.host === null ? '' : `${resolver.host}, `
  const found = resolver.source === null ? server : `${server} (${host}from ${resolver.source})`
  return via === null ? found : `${found} through ${exit}`
}

function formatExchange(record: QueryRecord, exchange: ExchangeView): readonly string[] {
  const transport = TRANSPORT_NAMES[exchange.transport]
  const [first, ...late] = exchange.responses
  if (exchange.failure !== null) {
    const { operation, failure, side, elapsed_ms: elapsedMs } = exchange.failure
    return [
      `;; no answer over ${transport}: ${failure} (${operation}, on the side of: ${side}) after ${elapsedMs} ms`,
      ...formatOddities(exchange),
    ]
  }
  if (first === undefined) return []
  if (exchange !== record.exchanges.at(-1)) {
    const isCut = first.message?.flags.includes('tc') === true
    const next = isCut ? 'truncated; asked again over TCP' : `${first.message?.rcode}; asked again with the new cookie`
    return [`;; over ${transport} after ${first.elapsed_ms} ms: ${next}`]
  }
  return [
    ...formatResponse(first),
    '',
    `;; time: ${first.elapsed_ms} ms over ${transport}, ${first.size_octets} octets, ${exchange.started_at}`,
    ...late.flatMap((response) => formatLate(first, response)),
    ...formatOddities(exchange),
  ]
}

function formatResponse({ message, malformed }: ResponseView): readonly string[] {
  if (message === null) {
    return [`;; the answer is malformed at octet ${malformed?.offset ?? 0}: ${malformed?.reason ?? ''}`]
  }
  const counts = [message.questions, message.answers, message.authorities, message.additionals].map(
    ({ length }) => length,
  )
  return [
    `;; status: ${message.rcode}, opcode: ${message.opcode}${message.id === null ? '' : `, id: ${message.id}`}`,
    `;; flags: ${message.flags.join(' ')}; question: ${counts[0]}, answer: ${counts[1]}, authority: ${counts[2]}, additional: ${counts[3]}`,
    ...formatEdns(message),
    ...formatSection('question', message.questions, (question) => `;${formatOwner(question)}`),
    ...formatSection('answer', message.answers, formatRecord),
    ...formatSection('authority', message.authorities, formatRecord),
    ...formatSection('additional', message.additionals, formatRecord),
  ]
}

function formatEdns({ edns, flags }: MessageView): readonly string[] {
  const bit = (name: string): string => (flags.includes(name) ? '1' : '0')
  const dnssec = `;; DNSSEC: ad ${bit('ad')}, cd ${bit('cd')}, do ${edns?.dnssec_ok === true ? '1' : '0'}`
  if (edns === null) return [`${dnssec}; no EDNS`]
  return [
    dnssec,
    `;; EDNS: version ${edns.version}, udp ${edns.udp_size}`,
    ...edns.options.map((option) => `; ${formatOption(option)}`),
  ]
}

function formatOption(option: OptionView): string {
  switch (option.option) {
    case 'nsid':
      return `NSID: ${option.hex} ("${printable(option.text)}")`
    case 'client_subnet':
      return `client subnet: ${option.subnet}, scope ${option.scope_bits}`
    case 'cookie':
      return `cookie: ${option.client} ${option.server === '' ? '(the server sent none)' : option.server}`
    case 'padding':
      return `padding: ${option.size_octets} octets`
    case 'extended_error': {
      const text = option.text === '' ? '' : `: ${printable(option.text)}`
      return `EDE: ${option.info_code} (${option.name})${text}`
    }
    case 'unknown':
      return `option ${option.code}: ${option.hex}`
    default:
      return assertNever(option)
  }
}

function formatSection<T>(name: string, entries: readonly T[], format: (entry: T) => string): readonly string[] {
  return entries.length === 0 ? [] : ['', `;; ${name}:`, ...entries.map((entry) => printable(format(entry)))]
}

function formatOwner(owner: QuestionView): string {
  return `${owner.name}\t${owner.class}\t${owner.type}`
}

function formatRecord(record: RecordView): string {
  return `${record.name}\t${record.ttl_seconds}\t${record.class}\t${record.type}\t${record.data}`
}

/** A later response; the records are shown where they differ from those of the first one. */
function formatLate(first: ResponseView, late: ResponseView): readonly string[] {
  const when = `;; another answer after ${late.elapsed_ms} ms`
  if (late.message === null) return [`${when}: malformed (${late.malformed?.reason ?? ''})`]
  const answers = late.message.answers.map(formatRecord)
  const isSame =
    late.message.rcode === first.message?.rcode &&
    answers.join('\n') === first.message.answers.map(formatRecord).join('\n')
  return isSame
    ? [`${when}: the same`]
    : [`${when}: DIFFERENT, ${late.message.rcode}`, ...answers.map((line) => printable(`;  ${line}`))]
}

function formatOddities({ oddities }: ExchangeView): readonly string[] {
  const found = Object.entries(oddities).filter(([, count]) => count > 0)
  if (found.length === 0) return []
  return [`;; not taken for an answer: ${found.map(([name, count]) => `${count} ${name}`).join(', ')}`]
}

/** Replaces control and formatting characters but the tab. */
function printable(text: string): string {
  return text.replaceAll(
    /(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  )
}
