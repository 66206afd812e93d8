/**
 * Signatures of block pages, as lists of them are published: JSON Lines of a fingerprint and a pattern.
 *
 * **Invariant**: a pattern is read as Python and RE2 read it (dot matches newline, inline flags, named groups); one that
 * JavaScript cannot read is named and left out, and never changed in its meaning.
 *
 * Rule: docs/detectors/satellite-blockpage.md
 */

/** One signature. */
export interface PageSignature {
  readonly fingerprint: string
  readonly pattern: RegExp
}

/** What a file of signatures gave. */
export interface SignatureList {
  /** In the order of the file. */
  readonly signatures: readonly PageSignature[]
  /** Lines that are no signature, with their number and why. */
  readonly problems: readonly string[]
}

/** No list of the kind has more; each costs time on each page. */
const SIGNATURES_MAX = 100_000

/** Reads a file. Empty lines say nothing. */
export function parseSignatures(text: string): SignatureList {
  const signatures: PageSignature[] = []
  const problems: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const read = signatures.length < SIGNATURES_MAX ? readSignature(line) : 'there are too many signatures'
    if (typeof read === 'string') problems.push(`line ${index + 1}: ${read}`)
    else signatures.push(read)
  }
  return { signatures, problems }
}

function readSignature(line: string): PageSignature | string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return 'it is no JSON'
  }
  if (typeof value !== 'object' || value === null) return 'it is no JSON object'
  const { fingerprint, pattern } = value as Readonly<Record<string, unknown>>
  if (typeof fingerprint !== 'string' || fingerprint === '') return 'fingerprint is missing or no text'
  if (typeof pattern !== 'string' || pattern === '') return `${fingerprint}: pattern is missing or no text`
  try {
    return { fingerprint, pattern: compilePattern(pattern) }
  } catch (error) {
    return `${fingerprint}: ${error instanceof Error ? error.message : 'the pattern cannot be read'}`
  }
}

/**
 * Flags at the beginning (`(?i)`), named groups (`(?P<name>`), `\A`, `\Z` and `\z` are written otherwise in JavaScript.
 *
 * @throws {SyntaxError} For a pattern that JavaScript cannot read.
 */
function compilePattern(source: string): RegExp {
  const [prefix = '', given = ''] = /^\(\?([aimsuxLU]+)\)/.exec(source) ?? []
  if (/[xLU]/.test(given)) throw new SyntaxError(`the flags ${given} are not known here`)
  const flags = ['i', 'm'].filter((flag) => given.includes(flag))
  const translated = source
    .slice(prefix.length)
    .replaceAll(/\\[\s\S]|\(\?P<|\(\?P=(\w+)\)/g, (token, name?: string) => {
      if (token === '(?P<') return '(?<'
      if (name !== undefined) return `\\k<${name}>`
      if (token === '\\A') return '(?<![\\s\\S])'
      if (token === '\\Z' || token === '\\z') return '(?![\\s\\S])'
      return token
    })
  return new RegExp(translated, `s${flags.join('')}`)
}
