/**
 * The list: which paths are answered, and where in a store each may lie.
 *
 * Invariant: a path is compared as it came, undecoded and as a whole. Whatever has a `%`, a second slash or another
 * spelling is not on the list.
 *
 * Format: docs/formats/published.md
 */

/** One form in which a published file may lie in a store. */
export type StoredForm =
  /** The file itself. */
  | { readonly kind: 'file'; readonly key: string }
  /** The file, compressed. */
  | { readonly kind: 'gzip'; readonly key: string }
  /** A member of the archive of a month. */
  | { readonly kind: 'member'; readonly month: string; readonly name: string }

/** A path on the list. */
export interface PublishedPath {
  /** Where it may lie, in the order of looking: retention moves files from the first to the last. */
  readonly forms: readonly StoredForm[]
  /** Whether the compressed octets themselves were asked for. */
  readonly isCompressed: boolean
  readonly contentType: string
  readonly cacheControl: string
}

const CHANGING = 'public, max-age=60'
const IMMUTABLE = 'public, max-age=31536000, immutable'
const JSON_TYPE = 'application/json; charset=utf-8'

const CHANGING_NAME = /^(?:latest|files|files-all)\.json$/
const ARCHIVE_NAME = /^archives\/\d{4}-(?:0[1-9]|1[0-2])\.(?:tar\.gz|index\.json)$/
const SHARD = String.raw`(?:_shard-\d{1,4}-of-\d{1,4})?`
const DATA_NAME = new RegExp(`^dnshealth_(\\d{8})_\\d{6}${SHARD}\\.json$`)
const OLDER_DATA_NAME = /^dns_health_(\d{4}-\d\d-\d\d|\d{8})_(?:\d\d-\d\d-\d\d|\d{6})\.json$/
const REPORT_NAME = new RegExp(`^report_(\\d{8})_\\d{6}${SHARD}\\.md$`)

/** @returns What a path of a URL is, as it stands in the URL; `undefined` when it is not on the list. */
export function parsePublishedPath(pathname: string): PublishedPath | undefined {
  const name = pathname.slice(1)
  if (!pathname.startsWith('/')) return undefined
  if (CHANGING_NAME.test(name)) return ofOneForm(name, JSON_TYPE, CHANGING)
  if (ARCHIVE_NAME.test(name)) {
    return name.endsWith('.json')
      ? ofOneForm(name, JSON_TYPE, CHANGING)
      : ofOneForm(name, 'application/gzip', IMMUTABLE)
  }
  const plain = name.replace(/\.gz$/, '')
  const isReport = plain.endsWith('.md')
  const match = isReport ? REPORT_NAME.exec(plain) : (DATA_NAME.exec(plain) ?? OLDER_DATA_NAME.exec(plain))
  if (match === null) return undefined
  const day = (match[1] ?? '').replaceAll('-', '')
  const isCompressed = plain !== name
  const later: readonly StoredForm[] = [
    { kind: 'gzip', key: `${plain}.gz` },
    { kind: 'member', month: `${day.slice(0, 4)}-${day.slice(4, 6)}`, name: plain },
  ]
  return {
    forms: isCompressed ? later : [{ kind: 'file', key: plain }, ...later],
    isCompressed,
    contentType: isReport ? 'text/markdown; charset=utf-8' : JSON_TYPE,
    cacheControl: IMMUTABLE,
  }
}

function ofOneForm(key: string, contentType: string, cacheControl: string): PublishedPath {
  return { forms: [{ kind: 'file', key }], isCompressed: false, contentType, cacheControl }
}
