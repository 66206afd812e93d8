/**
 * The files that a run reads: fingerprints, names, decoys. One entry a line; `#` begins a comment; empty lines do not
 * count. A line that cannot be used stops the run with its number: half a list measures something else.
 */
import { ConfigError } from '../core/config-error.ts'
import { canonicalIp } from '../core/ip-address.ts'
import { LIST_LINES_MAX } from './exit-limits.ts'

/** A name with its right addresses. */
export interface Decoy {
  readonly name: string
  readonly addresses: readonly string[]
}

/**
 * Reads a fingerprint: 40 hexadecimal digits, spaces and a leading `$` allowed, as in torrc.
 *
 * @returns Upper case without `$`; `undefined` when it is none.
 */
export function parseFingerprint(text: string): string | undefined {
  const digits = text.replaceAll(/\s/g, '').replace(/^\$/, '').toUpperCase()
  return /^[\dA-F]{40}$/.test(digits) ? digits : undefined
}

/**
 * Reads a file of fingerprints.
 *
 * @throws {ConfigError} For a line that is none, as `exits.txt:3`, and for a file without any: it would mean all relays.
 */
export function parseFingerprintFile(path: string, text: string): readonly string[] {
  return requireEntries(path, parseOptOutFile(path, text))
}

/** Reads a file of fingerprints that may be empty. @throws {ConfigError} For a line that is none, as `exits.txt:3`. */
export function parseOptOutFile(path: string, text: string): readonly string[] {
  return parseLines(path, text, (line, place) => {
    const fingerprint = parseFingerprint(line)
    if (fingerprint !== undefined) return fingerprint
    throw new ConfigError(
      place,
      `'${shorten(line)}' is no fingerprint: ${describeLength(line)}`,
      `40 hexadecimal digits, for example ${'A'.repeat(40)}; # begins a comment`,
    )
  })
}

/** Reads a file of names. @throws {ConfigError} For a line that is no name. */
export function parseNameFile(path: string, text: string): readonly string[] {
  const parse = (line: string, place: string): string => checkDomain(line, place, 'www.zone.example')
  return requireEntries(path, parseLines(path, text, parse))
}

/** Reads a file of decoys: a name and its addresses. @throws {ConfigError} For a line that is no such thing. */
export function parseDecoyFile(path: string, text: string): readonly Decoy[] {
  const parse = (line: string, place: string): Decoy => {
    const example = 'www.zone.example 192.0.2.1 2001:db8::1'
    const [name = '', ...rest] = line.split(/[\s,]+/)
    const addresses = rest.filter((part) => part !== '').map((part) => checkAddress(part, place, example))
    if (addresses.length === 0) throw new ConfigError(place, `'${shorten(line)}' has no address`, example)
    // Decoys are asked for A: without a right IPv4 address every answer would look wrong.
    if (addresses.every((address) => address.includes(':')))
      throw new ConfigError(place, `'${shorten(line)}' has no IPv4 address, and decoys are asked for A`, example)
    return { name: checkDomain(name, place, example), addresses }
  }
  return requireEntries(path, parseLines(path, text, parse))
}

/**
 * Checks the form of a domain name.
 *
 * @returns Lower case, without trailing dot.
 * @throws {ConfigError} When a label is empty, longer than 63 octets or has other characters than letters, digits, `-`
 *   and `_`, or the name is longer than 253.
 */
export function checkDomain(text: string, path: string, example: string): string {
  const name = text.trim().toLowerCase().replace(/\.$/, '')
  const bad = name.split('.').find((label) => !/^[\w-]{1,63}$/.test(label))
  if (bad !== undefined) {
    const why =
      bad === ''
        ? 'has an empty label'
        : bad.length > 63
          ? 'has a label longer than 63 octets'
          : `has the label '${bad}'`
    throw new ConfigError(path, `'${shorten(text)}' ${why}`, example)
  }
  if (name.length > 253) throw new ConfigError(path, `the name has ${name.length} octets, more than 253`, example)
  return name
}

/** Checks an address. @returns Its canonical form. @throws {ConfigError} When it is none. */
export function checkAddress(text: string, path: string, example: string): string {
  const address = canonicalIp(text.trim())
  if (address !== undefined) return address
  throw new ConfigError(path, `'${shorten(text)}' is no IP address`, example)
}

function parseLines<T>(path: string, text: string, parse: (line: string, place: string) => T): readonly T[] {
  const lines = text.split('\n')
  if (lines.length > LIST_LINES_MAX)
    throw new ConfigError(path, `the file has more than ${LIST_LINES_MAX} lines`, 'split it and use --shard')
  return lines.flatMap((raw, index) => {
    const line = raw.replace(/#.*/, '').trim()
    return line === '' ? [] : [parse(line, `${path}:${index + 1}`)]
  })
}

function requireEntries<T>(path: string, entries: readonly T[]): readonly T[] {
  if (entries.length > 0) return entries
  throw new ConfigError(path, 'the file has no entry', 'write one entry a line')
}

function describeLength(line: string): string {
  const wrong = /[^\da-f\s$]/i.exec(line)?.[0]
  return wrong === undefined ? `it has ${line.length} digits` : `it has the character ${JSON.stringify(wrong)}`
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`
}
