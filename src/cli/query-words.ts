/**
 * The words of `candor query`: what is a name, a type, a class and a resolver, in any order, as people know it from dig.
 *
 * The first word that is no `@RESOLVER` is the name; the others are types (or a class).
 */
import { ConfigError } from '../core/config-error.ts'
import { parseIp } from '../core/ip-address.ts'
import { parseName, type Name } from '../dns/name.ts'
import { CLASS_CH, CLASS_IN, parseRrType, TYPE_A, TYPE_PTR } from '../dns/rr-type.ts'

/** More questions than this belong to `candor bulk`. */
const TYPES_MAX = 64
const CLASSES: ReadonlyMap<string, number> = new Map([
  ['IN', CLASS_IN],
  ['CH', CLASS_CH],
  ['HS', 4],
])

/** What was asked for. */
export interface QueryWords {
  readonly name: Name
  readonly types: readonly number[]
  readonly class: number
  /** What stands behind `@`; `undefined` without one. */
  readonly resolver: string | undefined
}

/**
 * Reads the words.
 *
 * @param reverse - The address of `-x`; `undefined` without it.
 * @throws {ConfigError} When a word is none of these.
 */
export function readQueryWords(words: readonly string[], reverse: string | undefined): QueryWords {
  const resolvers = words.filter((word) => word.startsWith('@'))
  if (resolvers.length > 1) throw new ConfigError(resolvers[1] ?? '@', 'one resolver is asked at a time', 'name one')
  const plain = words.filter((word) => !word.startsWith('@'))
  const name = reverse === undefined ? readName(plain[0]) : reverseName(reverse)
  const types: number[] = []
  let queryClass = CLASS_IN
  for (const word of reverse === undefined ? plain.slice(1) : plain) {
    const type = parseRrType(word)
    const wordClass = CLASSES.get(word.toUpperCase())
    if (type !== undefined) types.push(type)
    else if (wordClass !== undefined) queryClass = wordClass
    else throw new ConfigError(word, 'it is neither a record type nor a class', 'candor query NAME A AAAA, or TYPE65')
  }
  if (types.length > TYPES_MAX) {
    throw new ConfigError('TYPE', `${types.length} types, more than ${TYPES_MAX}`, 'name fewer types')
  }
  const resolver = resolvers[0]?.slice(1)
  const asked = types.length > 0 ? [...new Set(types)] : [reverse === undefined ? TYPE_A : TYPE_PTR]
  return { name, types: asked, class: queryClass, resolver }
}

function readName(word: string | undefined): Name {
  if (word === undefined) throw new ConfigError('NAME', 'no name is given', 'candor query www.zone.example AAAA')
  const name = parseName(word)
  if (name !== undefined) return name
  throw new ConfigError(
    JSON.stringify(word.slice(0, 80)),
    'it is no domain name',
    'labels of 1 to 63 octets, 255 in all; other alphabets in their xn-- form',
  )
}

/** RFC 1035 section 3.5, RFC 3596 section 2.5. */
function reverseName(text: string): Name {
  const octets = parseIp(text)
  if (octets === undefined) throw new ConfigError(`-x ${text}`, 'it is no IP address', '-x 192.0.2.1')
  const labels =
    octets.length === 4
      ? [...octets].reverse().map(String)
      : [...octets].reverse().flatMap((octet) => [(octet & 15).toString(16), (octet >> 4).toString(16)])
  return parseName(`${labels.join('.')}.${octets.length === 4 ? 'in-addr.arpa' : 'ip6.arpa'}`) ?? []
}
