/** The files of a published scan, known by base name, and where each flavour keeps them. */
import type { SatelliteRole } from '../../model/satellite-row.ts'
import type { OutputFormat } from './convert-row.ts'

/** What a file holds: rows of pairs (their role), or records of another kind. */
export type ScanFileKind =
  | SatelliteRole
  | 'resolvers_raw'
  | 'resolvers_ip'
  | 'resolvers_ptr'
  | 'resolvers_err'
  | 'resolvers'
  | 'raw'
  | 'addresses'
  | 'tags'
  | 'tagged_resolvers'
  | 'pages'
  | 'control_pages'
  | 'resolver_info'
  | 'resolvers_profile'
  | 'packets'
  | 'fetches'
  | 'upstreams'

/** Names of a kind in v1 and in all others. */
const NAMES: Readonly<Record<ScanFileKind, readonly [string, string]>> = {
  resolvers_raw: ['resolvers_raw', 'resolvers_raw'],
  resolvers_ip: ['resolvers_ip', 'resolvers_ip'],
  resolvers_ptr: ['resolvers_ptr', 'resolvers_ptr'],
  resolvers_err: ['resolvers_err', 'resolvers_err'],
  resolvers: ['resolvers', 'resolvers'],
  raw: ['answers_raw', 'responses_raw'],
  control_response: ['answers_control', 'responses_control'],
  response: ['answers', 'responses'],
  no_answer: ['answers_err', 'responses'],
  addresses: ['answers_ip', 'responses_ip'],
  tags: ['tagged_answers', 'tagged_responses'],
  tagged_resolvers: ['tagged_resolvers', 'tagged_resolvers'],
  result: ['interference', 'results'],
  no_control: ['interference_err', 'results'],
  verified: ['interference', 'results_verified'],
  pages: ['blockpages', 'blockpages'],
  control_pages: ['control_pages', 'control_pages'],
  resolver_info: ['resolver_info', 'resolver_info'],
  resolvers_profile: ['resolvers_profile', 'resolvers_profile'],
  packets: ['packets', 'packets'],
  fetches: ['fetches', 'fetches'],
  upstreams: ['upstreams', 'upstreams'],
}

/** Kinds of files whose rows are pairs of a resolver and a name. */
const ROLES: ReadonlySet<ScanFileKind> = new Set<SatelliteRole>([
  'control_response',
  'response',
  'no_answer',
  'result',
  'no_control',
  'verified',
])

/** What v2.2 keeps at the top of its tree; the rest is under `raw/`. */
const TOP_OF_V22: ReadonlySet<ScanFileKind> = new Set<ScanFileKind>([
  'resolvers_raw',
  'resolvers',
  'result',
  'verified',
  'pages',
])

/** Base name without extension → what it holds. The first kind of a name wins: `responses` is that of responses. */
const KINDS: ReadonlyMap<string, ScanFileKind> = new Map(
  (Object.keys(NAMES) as ScanFileKind[]).toReversed().flatMap((kind) => NAMES[kind].map((name) => [name, kind])),
)

/** Tells the kind by a path: its base name, `.json` or `.jsonl`, with or without `.gz`. @returns `undefined` for others. */
export function parseScanName(path: string): ScanFileKind | undefined {
  const base = path.slice(path.lastIndexOf('/') + 1)
  const [, stem] = /^(\w+)\.jsonl?(?:\.gz)?$/.exec(base) ?? []
  return stem === undefined ? undefined : KINDS.get(stem)
}

/** Whether the rows of a file are pairs of a resolver and a name. */
export function isRole(kind: ScanFileKind): kind is SatelliteRole {
  return ROLES.has(kind)
}

/** Path of a file within the tree of a flavour. */
export function formatScanPath(kind: ScanFileKind, format: Exclude<OutputFormat, 'source'>): string {
  const name = `${NAMES[kind][format === 'v1' ? 0 : 1]}.json`
  if (format === 'v1') return name
  const isAtTop = format === 'v2.2' && TOP_OF_V22.has(kind)
  return isAtTop ? name : `raw/${name}`
}
