/**
 * Who runs a relay, as its descriptor says: fields of ContactInfo, or the family.
 *
 * **Invariant**: everything here was written by the operator and is unproved; it groups relays for a reader, it decides
 * nothing.
 *
 * **Sources**: ContactInfo Information Sharing Specification (CIISS) 2, fields `url` and `email`.
 */

/** A descriptor has at most some kilobytes; the rest of a contact is not read. */
const CONTACT_CHARS_MAX = 4096
/** Longer than any host name. */
const OPERATOR_CHARS_MAX = 253

/**
 * Names the operator.
 *
 * @param relay - Fingerprint, ContactInfo, and the family as the descriptor declares it.
 * @returns The host of `url:`, else the address of `email:`, else `family:FINGERPRINT` (the first member in order, so
 *   that all members get one name); `null` when there is none of them.
 */
export function nameOperator(relay: {
  readonly fingerprint: string
  readonly contact: string | null
  readonly family: readonly string[]
}): string | null {
  const contact = relay.contact?.slice(0, CONTACT_CHARS_MAX) ?? ''
  return findUrlHost(contact) ?? findEmail(contact) ?? nameFamily(relay.fingerprint, relay.family)
}

function findUrlHost(contact: string): string | undefined {
  const value = findField(contact, 'url')
  const host = value
    ?.toLowerCase()
    .match(/^(?:https?:\/\/)?(?:www\.)?((?:[a-z\d_-]{1,63}\.)+[a-z\d-]{2,63})(?:[:/?#]|$)/)?.[1]
  return host === undefined || host.length > OPERATOR_CHARS_MAX ? undefined : host
}

/** `[]` stands for `@`, against address collectors. */
function findEmail(contact: string): string | undefined {
  const value = findField(contact, 'email')?.replace('[]', '@').toLowerCase()
  if (value === undefined || value.length > OPERATOR_CHARS_MAX) return undefined
  return /^[^\s@<>"]+@[a-z\d.-]+$/.test(value) ? value : undefined
}

function findField(contact: string, name: 'url' | 'email'): string | undefined {
  return contact.match(new RegExp(`(?:^|\\s)${name}:(\\S+)`, 'i'))?.[1]
}

function nameFamily(fingerprint: string, family: readonly string[]): string | null {
  const members = family.filter((member) => /^[\dA-F]{40}$/.test(member) && member !== fingerprint)
  if (members.length === 0) return null
  return `family:${[fingerprint, ...members].toSorted()[0] ?? fingerprint}`
}
