/** The list of operators who asked for mail: one address per line, `#` begins a comment. */
import { ConfigError } from '../core/config-error.ts'

const ADDRESSES_MAX = 10_000

/**
 * Reads the list.
 *
 * @param path - For errors.
 * @returns Addresses, lower case.
 * @throws {ConfigError} With the line that is no address.
 */
export function parseOptIn(path: string, text: string): ReadonlySet<string> {
  const found = new Set<string>()
  for (const [index, line] of text.split('\n').entries()) {
    const address = line.replace(/#.*/, '').trim().toLowerCase()
    if (address === '') continue
    if (!isMailAddress(address) || found.size >= ADDRESSES_MAX)
      throw new ConfigError(`${path}:${index + 1}`, 'this is no mail address', 'tor@operator.example, one per line')
    found.add(address)
  }
  return found
}

/** Whether a text is a plain mail address: no quotes, no comments, nothing that a header could misread. */
export function isMailAddress(text: string): boolean {
  return (
    text.length <= 254 && /^[\w.+-]{1,64}@(?:[a-z\d](?:[a-z\d-]*[a-z\d])?\.)*[a-z\d](?:[a-z\d-]*[a-z\d])?$/i.test(text)
  )
}
