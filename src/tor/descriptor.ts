/**
 * Server descriptors: what a relay says of itself. Every line is the relay's own word and bounded.
 *
 * Sources: Tor dir-spec section 2.1.1 (router descriptors).
 */
import { acceptsPublicIpv4, parseExitRules, POLICY_RULES_MAX, portListAccepts, type ExitRule } from './exit-policy.ts'

const DESCRIPTORS_MAX = 65_536
const FAMILY_MAX = 512
const TEXT_CHARS_MAX = 1_024

/** What is kept of a descriptor. */
export interface Descriptor {
  readonly exitsToIpv4: boolean
  readonly exitsToIpv6: boolean
  /** Fingerprints (upper case, without `$`) and nicknames. */
  readonly family: readonly string[]
  readonly contact: string | null
  readonly platform: string | null
}

/** Takes the lines of a document one after the other. */
export interface DescriptorReader {
  take(line: string): void
  /** By fingerprint; of several the newest. */
  finish(): ReadonlyMap<string, Descriptor>
}

interface Draft {
  fingerprint: string
  published: string
  rules: ExitRule[]
  ipv6Policy: string
  family: readonly string[]
  contact: string | null
  platform: string | null
}

/** A reader for any number of descriptors, one behind the other. */
export function createDescriptorReader(): DescriptorReader {
  const found = new Map<string, { readonly published: string; readonly descriptor: Descriptor }>()
  let draft: Draft | undefined

  const keep = (): void => {
    if (draft === undefined || draft.fingerprint === '') return
    const known = found.get(draft.fingerprint)
    if (known === undefined ? found.size >= DESCRIPTORS_MAX : known.published >= draft.published) return
    found.set(draft.fingerprint, { published: draft.published, descriptor: finishDraft(draft) })
  }

  return {
    take: (line) => {
      if (line.startsWith('router ')) {
        keep()
        draft = {
          fingerprint: '',
          published: '',
          rules: [],
          ipv6Policy: '',
          family: [],
          contact: null,
          platform: null,
        }
      } else if (draft !== undefined) takeDescriptorLine(draft, line)
    },
    finish: () => {
      keep()
      return new Map(Array.from(found, ([fingerprint, { descriptor }]) => [fingerprint, descriptor]))
    },
  }
}

/** Parses the rest of a `family` line. */
export function parseFamily(text: string): readonly string[] {
  return text
    .split(' ', FAMILY_MAX)
    .map((member) => /^\$([\da-f]{40})(?:[=~].*)?$/i.exec(member)?.[1]?.toUpperCase() ?? member)
    .filter((member) => /^[A-Za-z0-9]{1,40}$/.test(member))
}

function takeDescriptorLine(draft: Draft, line: string): void {
  const space = line.indexOf(' ')
  if (space < 0) return
  const rest = line.slice(space + 1)
  switch (line.slice(0, space)) {
    case 'fingerprint': {
      const hex = rest.replaceAll(' ', '').toUpperCase()
      if (/^[\dA-F]{40}$/.test(hex)) draft.fingerprint = hex
      break
    }
    case 'published':
      draft.published = rest.slice(0, 19)
      break
    case 'accept':
    case 'reject':
      if (draft.rules.length < POLICY_RULES_MAX) draft.rules.push(...parseExitRules(line.startsWith('accept'), rest))
      break
    case 'ipv6-policy':
      draft.ipv6Policy = rest
      break
    case 'family':
      draft.family = parseFamily(rest)
      break
    case 'contact':
      draft.contact = rest.slice(0, TEXT_CHARS_MAX)
      break
    case 'platform':
      draft.platform = rest.slice(0, TEXT_CHARS_MAX)
      break
    default:
  }
}

function finishDraft(draft: Draft): Descriptor {
  return {
    exitsToIpv4: acceptsPublicIpv4(draft.rules),
    exitsToIpv6: portListAccepts(draft.ipv6Policy),
    family: draft.family,
    contact: draft.contact,
    platform: draft.platform,
  }
}
