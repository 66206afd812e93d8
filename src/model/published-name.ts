/**
 * The names that publication knows: what each is, and how long a reader may keep it.
 *
 * Invariant: whatever is not on this list is never handed out, uploaded, compressed or deleted. A name is never a path,
 * but for the two forms below `archives/`.
 *
 * Format: docs/formats/published.md
 */

/** What a published file is. */
export type PublishedForm = 'latest' | 'manifest' | 'data' | 'report' | 'archive' | 'archive_index'

/** A name on the list. */
export interface PublishedName {
  readonly form: PublishedForm
  /** The name that it was published under first: without `.gz`. */
  readonly plain: string
  readonly isCompressed: boolean
  /** When the run began, 14 digits UTC; `null` for what is not of one run. */
  readonly moment: string | null
  /** `2026-01`; `null` for `latest` and `manifest`. */
  readonly month: string | null
  readonly contentType: string
  readonly cacheControl: string
}

/** What changes is asked for again after this many seconds. */
const CHANGING_SECONDS = 60
/** What never changes may be kept for a year. */
const IMMUTABLE_SECONDS = 31_536_000

const CHANGING = `public, max-age=${CHANGING_SECONDS}`
const IMMUTABLE = `public, max-age=${IMMUTABLE_SECONDS}, immutable`
const JSON_TYPE = 'application/json; charset=utf-8'
const MARKDOWN_TYPE = 'text/markdown; charset=utf-8'

const SHARD = String.raw`(?:_shard-\d{1,4}-of-\d{1,4})?`
const DATA = new RegExp(`^dnshealth_(\\d{8})_(\\d{6})${SHARD}\\.json$`)
const OLDER_DATA = /^dns_health_(\d{4}-\d\d-\d\d|\d{8})_(\d\d-\d\d-\d\d|\d{6})\.json$/
const REPORT = new RegExp(`^report_(\\d{8})_(\\d{6})${SHARD}\\.md$`)
const ARCHIVE = /^archives\/(\d{4}-(?:0[1-9]|1[0-2]))(\.tar\.gz|\.index\.json)$/

/** @returns What a name is; `undefined` when it is not on the list. */
export function parsePublishedName(name: string): PublishedName | undefined {
  if (name === 'latest.json') return changing('latest', name)
  if (name === 'files.json' || name === 'files-all.json') return changing('manifest', name)
  const [, month, ending] = ARCHIVE.exec(name) ?? []
  if (month !== undefined) {
    const isArchive = ending === '.tar.gz'
    const form = isArchive ? 'archive' : 'archive_index'
    const contentType = isArchive ? 'application/gzip' : JSON_TYPE
    // The compression of an archive is a part of the file, not of its way to the reader.
    const common = { plain: name, isCompressed: false, moment: null, month, cacheControl: IMMUTABLE }
    // An archive that was mended has another index; readers need the pair.
    return { form, contentType, ...common, ...(isArchive ? {} : { cacheControl: CHANGING }) }
  }
  const plain = name.replace(/\.gz$/, '')
  const isReport = plain.endsWith('.md')
  const match = isReport ? REPORT.exec(plain) : (DATA.exec(plain) ?? OLDER_DATA.exec(plain))
  if (match === null) return undefined
  const moment = `${match[1]}${match[2]}`.replaceAll('-', '')
  return {
    form: isReport ? 'report' : 'data',
    plain,
    isCompressed: plain !== name,
    moment,
    month: `${moment.slice(0, 4)}-${moment.slice(4, 6)}`,
    contentType: isReport ? MARKDOWN_TYPE : JSON_TYPE,
    cacheControl: IMMUTABLE,
  }
}

function changing(form: 'latest' | 'manifest', plain: string): PublishedName {
  const common = { isCompressed: false, moment: null, month: null, contentType: JSON_TYPE, cacheControl: CHANGING }
  return { form, plain, ...common }
}
