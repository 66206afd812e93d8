/** What SmartDNS is to do: everything that its configuration is generated from. */
import type { Endpoint } from '../net/net.ts'

/** A resolver that SmartDNS asks. */
export interface SmartDnsUpstream {
  readonly transport: 'udp' | 'tcp' | 'tls' | 'https'
  readonly endpoint: Endpoint
  /** Whom the certificate is for; `null` over UDP and TCP. */
  readonly host: string | null
  /** `/dns-query`; `null` but for HTTPS. */
  readonly path: string | null
}

/** The sets that SmartDNS adds addresses to, before it answers. */
export interface SmartDnsSets {
  /** Family and name of the table, `inet candor`. */
  readonly table: string
  readonly v4: string
  readonly v6: string
}

/** A plan. */
export interface SmartDnsPlan {
  /** Where clients ask, over UDP and TCP. */
  readonly listen: Endpoint
  readonly upstreams: readonly SmartDnsUpstream[]
  /** Names that stand for themselves and everything below, in ASCII form. */
  readonly wildcards: readonly string[]
  /** `null`: addresses go into no set. */
  readonly sets: SmartDnsSets | null
  /** Answers that are kept in memory; 0 for none. */
  readonly cacheSize: number
  /** When the audit file is rotated, in octets. */
  readonly auditOctets: number
  /** Rotated audit files that are kept. */
  readonly auditFiles: number
}

/** The files of an instance, all in a directory of its own. */
export interface SmartDnsPaths {
  readonly wildcards: string
  readonly cache: string
  readonly audit: string
  readonly log: string
}
