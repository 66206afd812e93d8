/**
 * IP addresses and prefixes: text ↔ octets.
 *
 * Sources: RFC 4291 section 2.2 (forms of IPv6), RFC 5952 (the canonical one). IPv4 is the strict dotted decimal of four
 * numbers without leading zeros; `0177.0.0.1` and `127.1` are refused, because what a library makes of them differs.
 */

/** 4 (IPv4) or 16 (IPv6) octets in network order. */
export type IpOctets = Uint8Array

/** A block of addresses. */
export interface IpPrefix {
  /** The first address; bits after `bits` are zero. */
  readonly octets: IpOctets
  /** 0 to 32 or 0 to 128. */
  readonly bits: number
}

/** @returns The octets; `undefined` when the text is no address. Zones (`%eth0`) and brackets are refused. */
export function parseIp(text: string): IpOctets | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** Formats octets canonically: dotted decimal, or RFC 5952 in lower case. */
export function formatIp(octets: IpOctets): string {
  return octets.length === 4 ? octets.join('.') : formatIpv6(octets)
}

/** @returns The canonical form of an address; `undefined` when the text is no address. */
export function canonicalIp(text: string): string | undefined {
  const octets = parseIp(text)
  return octets && formatIp(octets)
}

/** @returns Whether the text is an IPv6 address. */
export function isIpv6(text: string): boolean {
  return text.includes(':') && parseIpv6(text) !== undefined
}

/** Parses `192.0.2.0/24`, or an address as a prefix of full length. @returns `undefined` when it is neither. */
export function parsePrefix(text: string): IpPrefix | undefined {
  const slash = text.indexOf('/')
  const octets = parseIp(slash < 0 ? text : text.slice(0, slash))
  if (octets === undefined) return undefined
  const width = octets.length * 8
  if (slash < 0) return { octets, bits: width }
  const bitsText = text.slice(slash + 1)
  if (!/^\d{1,3}$/.test(bitsText)) return undefined
  const bits = Number(bitsText)
  return bits <= width ? truncatePrefix(octets, bits) : undefined
}

/** The prefix of `bits` bits that an address lies in. */
export function truncatePrefix(octets: IpOctets, bits: number): IpPrefix {
  const kept = octets.map((octet, index) => {
    const left = bits - index * 8
    return left >= 8 ? octet : left <= 0 ? 0 : octet & (0xff << (8 - left))
  })
  return { octets: kept, bits }
}

/** Formats a prefix as `192.0.2.0/24`. */
export function formatPrefix(prefix: IpPrefix): string {
  return `${formatIp(prefix.octets)}/${prefix.bits}`
}

/** @returns Whether an address lies in a prefix; `false` for different families. */
export function prefixContains(prefix: IpPrefix, octets: IpOctets): boolean {
  if (prefix.octets.length !== octets.length) return false
  const whole = prefix.bits >> 3
  for (let i = 0; i < whole; i++) if (prefix.octets[i] !== octets[i]) return false
  const rest = prefix.bits & 7
  if (rest === 0) return true
  const mask = (0xff << (8 - rest)) & 0xff
  return ((prefix.octets[whole] ?? 0) & mask) === ((octets[whole] ?? 0) & mask)
}

function parseIpv4(text: string): IpOctets | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  const octets = new Uint8Array(4)
  for (const [index, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    octets[index] = Number(part)
  }
  return octets
}

function parseIpv6(text: string): IpOctets | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] ?? '', halves.length === 1)
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const octets = new Uint8Array(16)
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail]
  for (const [index, group] of groups.entries()) {
    octets[index * 2] = group >> 8
    octets[index * 2 + 1] = group & 0xff
  }
  return octets
}

/** @returns The 16-bit groups of one side of `::`; an IPv4 tail counts as two and is allowed at the very end only. */
function parseGroups(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = atEnd && index === parts.length - 1 ? parseIpv4(part) : undefined
      if (v4 === undefined) return undefined
      groups.push(((v4[0] ?? 0) << 8) | (v4[1] ?? 0), ((v4[2] ?? 0) << 8) | (v4[3] ?? 0))
    } else {
      if (!/^[\da-f]{1,4}$/i.test(part)) return undefined
      groups.push(Number.parseInt(part, 16))
    }
  }
  return groups
}

function formatIpv6(octets: IpOctets): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((octets[i * 2] ?? 0) << 8) | (octets[i * 2 + 1] ?? 0))
  // RFC 5952 section 4.2: the longest run of at least two zero groups, the first of equals.
  let [bestStart, bestLength] = [-1, 1]
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && groups[start + length] === 0) length++
    if (length > bestLength) [bestStart, bestLength] = [start, length]
  }
  // RFC 5952 section 5: IPv4-mapped addresses keep their dotted tail.
  if (bestStart === 0 && bestLength === 5 && groups[5] === 0xffff) return `::ffff:${formatIp(octets.subarray(12))}`
  const text = groups.map((group) => group.toString(16))
  if (bestStart < 0) return text.join(':')
  return `${text.slice(0, bestStart).join(':')}::${text.slice(bestStart + bestLength).join(':')}`
}
