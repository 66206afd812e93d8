/** Makes the stores of `[[publish.stores]]` complete: endpoint and region by kind, and everything checked. */
import { ConfigError } from '../core/config-error.ts'
import type { StoreAcl, StoreSettings } from './publish-settings.ts'

/** A store that can be opened once its keys are there. */
export interface ConfiguredStore {
  readonly name: string
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly prefix: string
  /** `null` leaves it to the bucket. */
  readonly acl: StoreAcl | null
  /** Path of a file with certificates (PEM). */
  readonly authoritiesFile: string | null
  readonly accessKeyId: SecretPlace
  readonly secretAccessKey: SecretPlace
}

/** Where a secret is: in a file where one is named, else in a variable. */
export interface SecretPlace {
  readonly file: string | null
  readonly variable: string
}

/**
 * Checks the stores that are enabled.
 *
 * @throws {ConfigError} When one lacks something, or two have the same name.
 */
export function toStores(settings: readonly StoreSettings[]): readonly ConfiguredStore[] {
  const stores = settings.filter(({ enabled }) => enabled).map(toStore)
  const twice = stores.find(({ name }, index) => stores.findIndex((other) => other.name === name) !== index)
  if (twice === undefined) return stores
  throw new ConfigError('publish.stores', `two stores are called ${twice.name}`, 'give one of them another name')
}

/** The variable that holds a key of a store: `CANDOR_STORE_R2_EU_ACCESS_KEY_ID` for `r2-eu`. */
export function storeVariable(name: string, what: 'ACCESS_KEY_ID' | 'SECRET_ACCESS_KEY'): string {
  return `CANDOR_STORE_${name.replaceAll('-', '_').toUpperCase()}_${what}`
}

function toStore(settings: StoreSettings, index: number): ConfiguredStore {
  const label = settings.name ?? `${index + 1}`
  const refuse = (key: string, message: string, example: string): ConfigError =>
    new ConfigError(`publish.stores.${key} (store ${label})`, message, `${key} = ${JSON.stringify(example)}`)
  const name = settings.name ?? ''
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name))
    throw refuse('name', 'a store needs a name of lower-case letters, digits and -', 'r2')
  const bucket = settings.bucket ?? ''
  if (!/^[A-Za-z0-9][A-Za-z0-9.-]{1,62}$/.test(bucket))
    throw refuse('bucket', 'a store needs a bucket: 3 to 63 letters, digits, . and -', 'exit-dns-results')
  const region = settings.region ?? (settings.kind === 'r2' ? 'auto' : 'us-east-1')
  if (!/^[a-z0-9-]{1,64}$/.test(region)) throw refuse('region', 'that is no region', 'nyc3')
  return {
    name,
    endpoint: toEndpoint(settings, refuse),
    bucket,
    region,
    prefix: settings.prefix,
    // A bucket of Spaces has no setting of its own for this.
    acl: settings.acl ?? (settings.kind === 'spaces' ? 'public-read' : null),
    authoritiesFile: settings.authorities,
    accessKeyId: { file: settings.accessKeyIdFile, variable: storeVariable(name, 'ACCESS_KEY_ID') },
    secretAccessKey: { file: settings.secretAccessKeyFile, variable: storeVariable(name, 'SECRET_ACCESS_KEY') },
  }
}

function toEndpoint(
  { endpoint, kind, account, region }: StoreSettings,
  refuse: (key: string, message: string, example: string) => ConfigError,
): string {
  if (endpoint === null && kind === 'r2') {
    if (account !== null && /^[0-9a-f]{32}$/.test(account)) return `https://${account}.r2.cloudflarestorage.com`
    throw refuse('account', 'R2 needs the account id: 32 hexadecimal digits', '0123456789abcdef0123456789abcdef')
  }
  if (endpoint === null && kind === 'spaces') {
    if (region !== null) return `https://${region}.digitaloceanspaces.com`
    throw refuse('region', 'Spaces needs the region', 'nyc3')
  }
  const url = endpoint === null ? null : URL.parse(endpoint)
  const isPlain = url !== null && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  if (url !== null && isPlain && (url.protocol === 'https:' || url.protocol === 'http:'))
    return url.href.replace(/\/$/, '')
  throw refuse('endpoint', 'a store needs the address of its S3 interface, without query', 'https://s3.zone.example')
}
