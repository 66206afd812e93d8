/**
 * Addresses that the laboratory gives out: all reserved for documentation or for private use, so that nothing that leaks
 * from it can reach anybody.
 *
 * Sources: RFC 5737, RFC 3849, RFC 1918.
 */

/** What the measured zone's names really have. */
export const RIGHT_ADDRESSES: readonly [ipv4: string, ipv6: string] = ['198.51.100.53', '2001:db8:53::53']

/** What the second zone's names really have. */
export const SECOND_ADDRESSES: readonly [ipv4: string, ipv6: string] = ['198.51.100.54', '2001:db8:54::54']

/** What the names of the signed zone have, and what the bogus one claims. */
export const SIGNED_ADDRESSES: readonly [ipv4: string, ipv6: string] = ['198.51.100.55', '2001:db8:55::55']

/** What a resolver that never asks makes up. */
export const REWRITTEN_ADDRESSES: readonly [ipv4: string, ipv6: string] = ['203.0.113.66', '2001:db8:bad::66']

/** What a resolver says after it asked and heard something else. */
export const POISONED_ADDRESSES: readonly [ipv4: string, ipv6: string] = ['203.0.113.99', '2001:db8:bad::99']

/** Where a resolver sends those who ask for names that do not exist. */
export const SEARCH_PAGE_ADDRESS = '203.0.113.80'

/** What the one resolver says about everything. */
export const PORTAL_ADDRESS = '203.0.113.88'

/** An address that no public name has; Tor clients hide it. */
export const PRIVATE_ADDRESS = '10.66.0.1'

/** Where a liar sends the readers of decoys. */
export const DECOY_LIE_ADDRESS = '203.0.113.77'

/** Names that an exit asks for when it wants to know whether its resolver answers everything alike, as they really are here. */
export const CONTROL_NAMES: ReadonlyMap<string, string> = new Map([
  ['www.google.com', '198.51.100.101'],
  ['www.mit.edu', '198.51.100.102'],
  ['www.yahoo.com', '198.51.100.103'],
  ['www.slashdot.org', '198.51.100.104'],
])
