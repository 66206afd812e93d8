/**
 * Reads the assignments of a shell file, without a shell: `config.env` of the earlier deployment.
 *
 * Quotes, comments, `export` and variables that the file itself set are understood; nothing is executed. What a shell
 * would have to run is named with its line.
 *
 * Invariant: a problem names a line and never repeats a value, which may be a secret.
 *
 * Sources: POSIX.1-2017, Shell Command Language, 2.2 (quoting) and 2.6.2 (parameter expansion).
 */

/** One assignment. */
export interface EnvAssignment {
  readonly name: string
  readonly value: string
  /** From 1. */
  readonly line: number
}

/** A line that is not taken over, and why. */
export interface EnvProblem {
  readonly line: number
  readonly message: string
}

/** What a file says. */
export interface EnvFile {
  /** The last assignment of each name, in the order of the file. */
  readonly assignments: readonly EnvAssignment[]
  readonly problems: readonly EnvProblem[]
}

const LINES_MAX = 10_000

/**
 * Parses the text of a file.
 *
 * @param home - What `$HOME` stands for.
 */
export function parseEnvFile(text: string, home: string): EnvFile {
  const variables = new Map([['HOME', home]])
  const found = new Map<string, EnvAssignment>()
  const problems: EnvProblem[] = []
  const lines = text.split('\n', LINES_MAX)
  for (const [index, raw] of lines.entries()) {
    const line = index + 1
    const content = raw.replace(/\r$/, '').trim()
    if (content === '' || content.startsWith('#')) continue
    const match = /^(?:export\s+)?([A-Za-z_]\w*)=(.*)$/s.exec(content)
    const value = match === null ? { problem: 'it is no assignment' } : readValue(match[2] ?? '', variables)
    const name = match?.[1] ?? ''
    if (typeof value === 'object') {
      problems.push({ line, message: name === '' ? value.problem : `${name}: ${value.problem}` })
      continue
    }
    variables.set(name, value)
    found.delete(name)
    found.set(name, { name, value, line })
  }
  return { assignments: [...found.values()], problems }
}

/** Reads a value as a shell would, up to the first blank outside quotes. */
function readValue(text: string, variables: ReadonlyMap<string, string>): string | { readonly problem: string } {
  let value = ''
  // An unquoted tilde is the home directory.
  let rest = text.replace(/^~(?=\/|\s|$)/, '$HOME')
  while (rest !== '' && !/^\s/.test(rest)) {
    const single = /^'([^']*)'/.exec(rest)
    const double = /^"((?:[^"\\]|\\.)*)"/s.exec(rest)
    const escaped = /^\\(.)/s.exec(rest)
    const plain = /^[^\s'"\\]+/.exec(rest)
    const part = single ?? double ?? escaped ?? plain
    if (part === null) return { problem: 'a quote has no end' }
    rest = rest.slice(part[0].length)
    if (single !== null || escaped !== null) {
      value += part[1] ?? ''
      continue
    }
    if (plain !== null && double === null && /[;&|<>()]/.test(part[0]))
      return { problem: 'only a shell could say what this is' }
    const inner = double === null ? part[0] : (part[1] ?? '').replaceAll(/\\([$`"\\])/g, '\uE000$1')
    const expanded = expand(inner, variables)
    if (typeof expanded === 'object') return expanded
    value += expanded
  }
  const after = rest.trim()
  return after === '' || after.startsWith('#') ? value : { problem: 'something stands behind the value' }
}

/** Puts in variables; a character behind U+E000 was escaped. */
function expand(text: string, variables: ReadonlyMap<string, string>): string | { readonly problem: string } {
  let problem: string | undefined
  const value = text.replaceAll(/\uE000(.)|\$\{(\w+)\}|\$(\w+)|([$`])/gs, (_, escaped, braced, bare, command) => {
    if (typeof escaped === 'string') return escaped
    if (typeof command === 'string') {
      problem = 'only a shell could say what this is'
      return ''
    }
    const name = String(braced ?? bare)
    const known = variables.get(name)
    if (known === undefined) problem = `the file does not say what $${name} is`
    return known ?? ''
  })
  return problem === undefined ? value : { problem }
}
