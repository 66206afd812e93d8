/**
 * Opens the configured stores with their keys.
 *
 * Invariant: keys come from the environment or from files that only their owner can read; no message repeats one.
 */
import type { PublishSettings } from '../config/publish-settings.ts'
import { toStores, type SecretPlace } from '../config/to-stores.ts'
import { ConfigError } from '../core/config-error.ts'
import type { ObjectStore } from '../publish/object-store.ts'
import { createS3Store } from '../publish/s3-store.ts'
import type { CliContext } from './cli-context.ts'
import { readNamedFile } from './load-settings.ts'

/** @throws {ConfigError} When a store lacks something, or a key is not there or readable by others. */
export function openStores(context: CliContext, settings: PublishSettings): Promise<readonly ObjectStore[]> {
  const { http, clock, interrupted: signal } = context
  const random = context.createRandom(context.newSeed())
  return Promise.all(
    toStores(settings.stores).map(async (store) => {
      const { name, endpoint, bucket, region, prefix, acl, authoritiesFile } = store
      const authorities =
        authoritiesFile === null
          ? null
          : await readNamedFile(context.files, 'publish.stores.authorities', authoritiesFile)
      const credentials = {
        accessKeyId: await readSecret(context, store.accessKeyId),
        secretAccessKey: await readSecret(context, store.secretAccessKey),
      }
      const { attempts, timeout: timeoutMs } = settings
      const options = { name, endpoint, bucket, region, prefix, acl, authorities, attempts, timeoutMs }
      return createS3Store({ http, clock, random, signal }, options, credentials)
    }),
  )
}

async function readSecret({ files, environment }: CliContext, { file, variable }: SecretPlace): Promise<string> {
  if (file !== null) {
    const info = await files.info(file)
    if (info !== undefined && (info.mode & 0o077) !== 0)
      throw new ConfigError(file, 'others may read it, and it holds a key', `chmod 600 ${file}`)
  }
  const text = file === null ? (environment[variable] ?? '') : await readNamedFile(files, variable, file)
  const secret = text.trim()
  if (/^[\x21-\x7E]{1,256}$/.test(secret)) return secret
  throw new ConfigError(
    file ?? variable,
    secret === '' ? 'there is no key in it' : 'what is in it is no key: a key has printable characters only',
    `${variable}=…, in the environment; or a file that only its owner can read`,
  )
}
