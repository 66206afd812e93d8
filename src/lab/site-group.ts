/** Web servers as data: what a group of addresses serves under which name. */

/** A leaf certificate. */
export interface SiteCertificate {
  /** Sites with the same id present the same certificate. */
  readonly id: string
  readonly names: readonly string[]
  /** Whether the laboratory's authority signed it; nobody known otherwise. */
  readonly isTrusted: boolean
}

/** What stands under a name. */
export interface Site {
  readonly certificate: SiteCertificate
  readonly page: {
    readonly status: number
    readonly body: string
    /** Whether every visit sees another page. */
    readonly isDynamic: boolean
  }
}

/** Addresses that serve the same. */
export interface SiteGroup {
  readonly addresses: readonly string[]
  /** By host name, in lower case. */
  readonly sites: ReadonlyMap<string, Site>
  /** For other names, and for who names none. */
  readonly fallback: Site
}
