/** Addresses to be probed by our own prober: a list of them, or of small prefixes. */
import { ConfigError } from '../../core/config-error.ts'
import { formatIp, parsePrefix } from '../../core/ip-address.ts'

/** One question to each takes an hour at the default caps; more is work for ZMap. */
const TARGETS_MAX = 1_048_576

/** Reads one address or prefix a line, each address once; what follows `#` is a comment. @throws {ConfigError} */
export function parseTargets(text: string, option: string): readonly string[] {
  const targets = new Set<string>()
  for (const [index, line] of text.split('\n').entries()) {
    const word = line.replace(/#.*$/, '').trim()
    if (word === '') continue
    const place = `${option}:${index + 1}`
    const prefix = parsePrefix(word)
    if (prefix === undefined)
      throw new ConfigError(place, `\`${word}\` is no address and no prefix`, 'as in: 192.0.2.0/24')
    const hostBits = prefix.octets.length * 8 - prefix.bits
    if (hostBits > 20 || targets.size + 2 ** hostBits > TARGETS_MAX) {
      throw new ConfigError(
        place,
        `our own prober asks at most ${TARGETS_MAX} addresses`,
        'install zmap and use --ranges, or name fewer',
      )
    }
    for (let host = 0; host < 2 ** hostBits; host++) targets.add(formatIp(addTo(prefix.octets, host)))
  }
  return [...targets]
}

function addTo(octets: Uint8Array, host: number): Uint8Array {
  const sum = Uint8Array.from(octets)
  for (let at = sum.length - 1, rest = host; at >= 0 && rest > 0; at--) {
    sum[at] = (sum[at] ?? 0) | (rest & 0xff)
    rest = Math.floor(rest / 256)
  }
  return sum
}
