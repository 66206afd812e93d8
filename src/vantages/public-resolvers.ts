/**
 * Names for some public resolvers, so that a person can type `@quad9`.
 *
 * Invariant: none is asked unless somebody names it; no campaign and no default leads here.
 *
 * Sources: the operators' own pages.
 */

/** A resolver that the public may ask. */
export interface PublicResolver {
  readonly address: string
  /** Whom its certificate is for, and the host of its URL. */
  readonly host: string
  /** Path of its URL for the JSON form; `undefined` when it has none. */
  readonly jsonPath: string | undefined
}

/** The names, in lower case. */
export const PUBLIC_RESOLVERS: ReadonlyMap<string, PublicResolver> = new Map([
  ['adguard', { address: '94.140.14.14', host: 'dns.adguard-dns.com', jsonPath: '/resolve' }],
  ['cloudflare', { address: '1.1.1.1', host: 'cloudflare-dns.com', jsonPath: '/dns-query' }],
  ['google', { address: '8.8.8.8', host: 'dns.google', jsonPath: '/resolve' }],
  ['opendns', { address: '208.67.222.222', host: 'dns.opendns.com', jsonPath: undefined }],
  ['quad9', { address: '9.9.9.9', host: 'dns.quad9.net', jsonPath: undefined }],
])
