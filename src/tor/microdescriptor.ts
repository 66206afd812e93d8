/**
 * Microdescriptors: the short form that ordinary clients load. Used where a Tor that somebody else runs has no full
 * descriptors.
 *
 * A microdescriptor does not name its relay; the consensus names the SHA-256 of its text.
 *
 * Sources: Tor dir-spec section 3.3.
 */
import type { Descriptor } from './descriptor.ts'
import { parseFamily } from './descriptor.ts'
import { portListAccepts } from './exit-policy.ts'

const MICRODESCRIPTORS_MAX = 65_536
const TEXT_CHARS_MAX = 65_536

/** Takes the lines of a document one after the other. */
export interface MicrodescriptorReader {
  take(line: string): void
  /** By SHA-256 in base64 without padding, as in the consensus. */
  finish(): Promise<ReadonlyMap<string, Descriptor>>
}

/** A reader for any number of microdescriptors, one behind the other. */
export function createMicrodescriptorReader(): MicrodescriptorReader {
  const texts: string[] = []
  let lines: string[] = []
  let chars = 0

  const keep = (): void => {
    if (lines.length > 0 && texts.length < MICRODESCRIPTORS_MAX) texts.push(`${lines.join('\n')}\n`)
    lines = []
    chars = 0
  }

  return {
    take: (line) => {
      if (line === 'onion-key') keep()
      else if (lines.length === 0) return // nothing before the first one
      chars += line.length
      if (chars <= TEXT_CHARS_MAX) lines.push(line)
    },
    finish: async () => {
      keep()
      const found = new Map<string, Descriptor>()
      for (const text of texts) found.set(await digest(text), parseMicrodescriptor(text))
      return found
    },
  }
}

async function digest(text: string): Promise<string> {
  const octets = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return btoa(String.fromCodePoint(...octets)).replace(/=+$/, '')
}

function parseMicrodescriptor(text: string): Descriptor {
  const lineOf = (keyword: string): string => new RegExp(`^${keyword} (.*)$`, 'm').exec(text)?.[1] ?? ''
  return {
    // The summary speaks of ports that are open to most addresses: all that a microdescriptor says.
    exitsToIpv4: portListAccepts(lineOf('p')),
    exitsToIpv6: portListAccepts(lineOf('p6')),
    family: parseFamily(lineOf('family')),
    contact: null,
    platform: null,
  }
}
