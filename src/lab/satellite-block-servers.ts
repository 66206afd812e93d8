/** Where people are sent who ask for censored names, and what they find there. */
import { SITE_BLOCKS } from './lab-address-plan.ts'
import type { Site, SiteGroup } from './site-group.ts'

/** Block servers: a listed one, its neighbour, one for few names only, and one inside a content network. */
export const BLOCK_SERVERS: Readonly<Record<'listed' | 'unlisted' | 'few' | 'onContent', string>> = {
  listed: `198.19.${SITE_BLOCKS.state}.10`,
  unlisted: `198.19.${SITE_BLOCKS.state}.11`,
  few: `198.19.${SITE_BLOCKS.state + 2}.10`,
  onContent: `198.19.${SITE_BLOCKS.content + 2}.200`,
}
/** Where an unreliable resolver sends people: a machine with a certificate that nobody trusts. */
export const PARKED_ADDRESS: string = `198.19.${SITE_BLOCKS.hosting + 10}.66`

/** The sentence of all block pages. */
const BLOCK_TEXT = 'access to this site has been restricted'

/** Signatures as in the published lists: one fingerprint and one pattern a line. */
export const BLOCK_SIGNATURES: readonly { readonly fingerprint: string; readonly pattern: string }[] = [
  { fingerprint: 'c_isp_laboratory_notice', pattern: 'Notice of your provider.*access to this site' },
  { fingerprint: 'b_nat_laboratory_restricted', pattern: BLOCK_TEXT },
]
/** Signatures of pages that only look like block pages. */
export const FALSE_POSITIVE_SIGNATURES: readonly { readonly fingerprint: string; readonly pattern: string }[] = [
  { fingerprint: 'false_positive_article', pattern: 'An article about pages that say' },
]

/** Plans the servers. */
export function planBlockServers(): readonly SiteGroup[] {
  return [
    group([BLOCK_SERVERS.listed, BLOCK_SERVERS.unlisted], makePage('filter.state.test', false, 'By law', BLOCK_TEXT)),
    group([BLOCK_SERVERS.few], makePage('notice.provider.test', true, 'Notice of your provider', BLOCK_TEXT)),
    group([BLOCK_SERVERS.onContent], makePage('edge-notice.test', true, 'Sorry', BLOCK_TEXT)),
    group([PARKED_ADDRESS], makePage('parked.test', false, 'Parked', 'this domain may be for sale')),
  ]
}

function group(addresses: readonly string[], fallback: Site): SiteGroup {
  return { addresses, sites: new Map(), fallback }
}

function makePage(name: string, isTrusted: boolean, title: string, text: string): Site {
  return {
    certificate: { id: `block ${name}`, names: [name], isTrusted },
    page: { status: 403, body: `<!doctype html>\n<title>${title}</title>\n<p>${text}</p>\n`, isDynamic: false },
  }
}
