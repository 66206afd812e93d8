/**
 * Reads an HTTP/1.1 response as far as it has come.
 *
 * **Invariant**: pure, never throws; at most 64 KiB of a body and 256 fields are kept.
 *
 * **Sources**: RFC 9112 sections 4 to 7.
 */
import { joinOctets } from '../net/join-octets.ts'

/** A response. */
export interface HttpMessage {
  /** `200 OK`. */
  readonly statusLine: string
  /** Names as they came first; values in their order. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body: Uint8Array
  /** Whether there was more of the body than is kept, or the connection ended before its end. */
  readonly isTruncated: boolean
}

const BODY_OCTETS_MAX = 65_536
const HEAD_OCTETS_MAX = 65_536
const FIELDS_MAX = 256

/** @param isEnd - Whether nothing more will come. @returns `undefined` while something is missing, or when it is no response. */
export function parseHttpMessage(octets: Uint8Array, isEnd: boolean): HttpMessage | undefined {
  const headEnd = findHeadEnd(octets)
  if (headEnd === undefined) return undefined
  const [first = '', ...lines] = new TextDecoder('latin1').decode(octets.subarray(0, headEnd.at)).split(/\r?\n/)
  const statusLine = /^HTTP\/1\.[01] (\d{3}(?: .*)?)$/.exec(first)?.[1]?.trimEnd()
  if (statusLine === undefined) return undefined
  const headers = readHeaders(lines.slice(0, FIELDS_MAX))
  const find = (name: string): string =>
    Object.entries(headers)
      .find(([key]) => key.toLowerCase() === name)?.[1]
      .join(', ') ?? ''
  const rest = octets.subarray(headEnd.at + headEnd.length)
  const found = readBody(rest, find('transfer-encoding'), find('content-length'), statusLine)
  const isTooLong = found.body.length > BODY_OCTETS_MAX
  if (!found.isWhole && !isTooLong && !isEnd) return undefined
  const isCut = !found.isWhole && found.hasLength
  return { statusLine, headers, body: found.body.slice(0, BODY_OCTETS_MAX), isTruncated: isTooLong || isCut }
}

function findHeadEnd(octets: Uint8Array): { readonly at: number; readonly length: number } | undefined {
  const text = new TextDecoder('latin1').decode(octets.subarray(0, HEAD_OCTETS_MAX))
  const match = /\r?\n\r?\n/.exec(text)
  return match === null ? undefined : { at: match.index, length: match[0].length }
}

function readHeaders(lines: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const headers = new Map<string, { readonly name: string; readonly values: string[] }>()
  for (const line of lines) {
    const [, name, value = ''] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined) continue
    const known = headers.get(name.toLowerCase())
    if (known === undefined) headers.set(name.toLowerCase(), { name, values: [value] })
    else known.values.push(value)
  }
  return Object.fromEntries([...headers.values()].map(({ name, values }) => [name, values]))
}

interface FoundBody {
  readonly body: Uint8Array
  /** Whether its end has come. Without a length that is the end of the connection. */
  readonly isWhole: boolean
  readonly hasLength: boolean
}

function readBody(rest: Uint8Array, coding: string, length: string, statusLine: string): FoundBody {
  if (/^(?:1\d\d|204|304)/.test(statusLine)) return { body: new Uint8Array(), isWhole: true, hasLength: true }
  if (/chunked\s*$/i.test(coding)) return { ...readChunks(rest), hasLength: true }
  if (!/^\d{1,15}$/.test(length)) return { body: rest, isWhole: false, hasLength: false }
  const wanted = Number(length)
  return { body: rest.subarray(0, wanted), isWhole: rest.length >= wanted, hasLength: true }
}

function readChunks(rest: Uint8Array): Pick<FoundBody, 'body' | 'isWhole'> {
  const parts: Uint8Array[] = []
  let kept = 0
  let at = 0
  while (at < rest.length && kept <= BODY_OCTETS_MAX) {
    const lineEnd = rest.indexOf(0x0a, at)
    if (lineEnd < 0) break
    const size = /^\s*([\da-f]{1,8})\s*(?:;|\s*$)/i.exec(
      new TextDecoder('latin1').decode(rest.subarray(at, lineEnd)),
    )?.[1]
    if (size === undefined) break
    const octets = Number.parseInt(size, 16)
    if (octets === 0) return { body: joinOctets([new Uint8Array(), ...parts]), isWhole: true }
    const part = rest.subarray(lineEnd + 1, lineEnd + 1 + octets)
    parts.push(part)
    kept += part.length
    at = lineEnd + 1 + octets
    // Behind each chunk stands the end of its line.
    if (rest[at] === 0x0d) at++
    if (rest[at] === 0x0a) at++
  }
  return { body: joinOctets([new Uint8Array(), ...parts]), isWhole: false }
}
