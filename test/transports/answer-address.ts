/** The answer of servers that only have to answer: 192.0.2.1 for every name. */
import type { DnsMessage } from '../../src/dns/message.ts'
import { TYPE_A } from '../../src/dns/rr-type.ts'

/** Answers a query with one address. */
export function answerAddress(query: DnsMessage): Promise<DnsMessage> {
  const { name = [], class: rrClass = 1 } = query.questions[0] ?? {}
  return Promise.resolve({
    ...query,
    header: { ...query.header, response: true, recursionAvailable: true },
    answers: [{ name, type: TYPE_A, class: rrClass, ttl: 60, rdata: { kind: 'a', address: '192.0.2.1' } }],
  })
}
