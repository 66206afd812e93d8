/**
 * The settings of publication: the table `[publish]`, and one `[[publish.stores]]` for each object store.
 *
 * Invariant: no setting holds a secret. The keys of a store come from the environment or from files that only their
 * owner can read.
 */
import { z } from 'zod'
import * as limits from './publish-limits.ts'
import {
  choice,
  countSetting,
  duration,
  flag,
  tableList,
  textSetting,
  type Setting,
  type SettingGroup,
} from './setting.ts'

/** Whose store it is: it decides endpoint and region where none is given. */
export const STORE_KINDS = ['r2', 'spaces', 's3'] as const
/** One of {@link STORE_KINDS}. */
export type StoreKind = (typeof STORE_KINDS)[number]

/** Who may read an object by its address, without keys. */
export const STORE_ACLS = ['private', 'public-read'] as const
/** One of {@link STORE_ACLS}. */
export type StoreAcl = (typeof STORE_ACLS)[number]

/** One `[[publish.stores]]`, as given; `null` where nothing was. */
export interface StoreSettings {
  readonly name: string | null
  readonly kind: StoreKind
  readonly enabled: boolean
  readonly bucket: string | null
  readonly endpoint: string | null
  readonly region: string | null
  readonly account: string | null
  readonly prefix: string
  readonly acl: StoreAcl | null
  readonly accessKeyIdFile: string | null
  readonly secretAccessKeyFile: string | null
  readonly authorities: string | null
}

/** The keys of `[[publish.stores]]`. */
export const STORE_SETTINGS: { readonly [K in keyof StoreSettings]: Setting<StoreSettings[K]> } = {
  name: textSetting('name', 'the name of the store in messages, and in the variables that hold its keys', 'r2'),
  kind: {
    name: 'kind',
    schema: choice(STORE_KINDS),
    default: 's3',
    description: 'r2, spaces or s3: fills in endpoint and region where they are known',
    example: 'r2',
  },
  enabled: {
    name: 'enabled',
    schema: flag,
    default: true,
    description: 'whether it takes part',
    example: 'false',
  },
  bucket: textSetting('bucket', 'the bucket, which must exist', 'exit-dns-results'),
  endpoint: textSetting(
    'endpoint',
    'address of the S3 interface; a private one is allowed',
    'https://s3.zone.example',
    'by kind, from `account` (r2) or `region` (spaces)',
  ),
  region: textSetting('region', 'the region that requests are signed for', 'nyc3', '`auto` (r2), else `us-east-1`'),
  account: textSetting(
    'account',
    'account id, which is a part of the endpoint of R2',
    '0123456789abcdef0123456789abcdef',
  ),
  prefix: {
    name: 'prefix',
    schema: z.string('must be text').regex(/^(?:[\w-][\w.-]*\/){0,8}$/, 'must be like exits/ or a/b/, or empty'),
    default: '',
    defaultText: 'none',
    description: 'what names in the bucket begin with',
    example: 'exits/',
  },
  acl: {
    name: 'acl',
    schema: choice(STORE_ACLS).nullable(),
    default: null,
    defaultText: '`public-read` (spaces), else what the bucket says',
    description: 'who may read objects by their address: private or public-read',
    example: 'public-read',
  },
  accessKeyIdFile: textSetting(
    'access-key-id-file',
    'file (0600) with the access key id',
    '/etc/candor/r2-id',
    'the variable CANDOR_STORE_NAME_ACCESS_KEY_ID',
  ),
  secretAccessKeyFile: textSetting(
    'secret-access-key-file',
    'file (0600) with the secret access key',
    '/etc/candor/r2-secret',
    'the variable CANDOR_STORE_NAME_SECRET_ACCESS_KEY',
  ),
  authorities: textSetting(
    'authorities',
    'certificates (PEM) of the authorities of a store of your own',
    '/etc/candor/ca.pem',
    'those of the system',
  ),
}

/** The values of all settings of publication, as given; `null` where nothing was. Durations are in milliseconds. */
export interface PublishSettings {
  readonly directory: string | null
  readonly concurrency: number
  readonly attempts: number
  readonly timeout: number
  readonly gzipAfterDays: number
  readonly archiveAfterDays: number
  readonly deleteAfterDays: number
  readonly stores: readonly StoreSettings[]
}

/** Every setting of publication. */
export const PUBLISH_SETTINGS: { readonly [K in keyof PublishSettings]: Setting<PublishSettings[K]> } = {
  directory: {
    ...textSetting('directory', 'the directory that is published', '/var/lib/candor/public', '`exits.analysis_dir`'),
    placeholder: 'directory',
  },
  concurrency: countSetting('concurrency', limits.CONCURRENCY, 'requests to one store at once'),
  attempts: countSetting('attempts', limits.ATTEMPTS, 'attempts at a request before the store counts as down'),
  timeout: {
    name: 'timeout',
    placeholder: 'seconds',
    schema: duration(limits.TIMEOUT),
    default: limits.TIMEOUT.default,
    limit: limits.TIMEOUT,
    description: 'how long one request may take',
    example: '2m',
  },
  gzipAfterDays: countSetting('gzip-after-days', limits.GZIP_AFTER, 'compress reports of this age, 0 for never'),
  archiveAfterDays: countSetting(
    'archive-after-days',
    limits.ARCHIVE_AFTER,
    'put a month into one archive when all of it has this age, 0 for never',
  ),
  deleteAfterDays: countSetting('delete-after-days', limits.DELETE_AFTER, 'delete reports of this age, 0 for never'),
  stores: {
    name: 'stores',
    schema: tableList<StoreSettings>(STORE_SETTINGS, limits.STORES_MAX),
    default: [],
    tables: Object.values(STORE_SETTINGS),
    description: 'the object stores, side by side',
    example: '[[publish.stores]] with name = "r2", kind = "r2", bucket = "exit-dns-results", account = "…"',
  },
}

/** The table `[publish]` of the configuration file. */
export const PUBLISH_SETTING_GROUP: SettingGroup = {
  table: 'publish',
  title: 'Publication',
  settings: Object.values(PUBLISH_SETTINGS),
}
