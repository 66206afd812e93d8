/**
 * From settings to channels: finds the kind, and hands it what it needs.
 *
 * Invariant: a secret comes from a file that only its owner can read, or from the environment; it is held by the channel
 * that uses it and appears in no error.
 */
import type { Clock } from '../core/clock.ts'
import { ConfigError } from '../core/config-error.ts'
import { FileError, readText, type Files } from '../core/files.ts'
import type { ChannelSettings } from '../model/channel-settings.ts'
import type { HttpClient } from '../net/http-client.ts'
import type { AlertChannel, ChannelKind, ChannelParts, SecretName } from './channel.ts'
import { parseOptIn } from './opt-in-list.ts'

const SECRET_OCTETS_MAX = 4_096
const FILE_OCTETS_MAX = 1_048_576
/** Others may neither read nor write. */
const OTHERS = 0o077

/** A channel with its settings. */
export interface ConfiguredChannel {
  readonly settings: ChannelSettings
  readonly channel: AlertChannel
  /** Mail addresses that opted in, lower case. */
  readonly optedIn: ReadonlySet<string>
}

/** What channels are made with. */
export interface ChannelCapabilities {
  readonly files: Files
  readonly http: HttpClient
  readonly clock: Clock
  readonly environment: Readonly<Record<string, string | undefined>>
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs: number
}

/**
 * Sets up all channels that are enabled.
 *
 * @throws {ConfigError} When a channel cannot be set up, or two have one name.
 */
export async function createChannels(
  channels: readonly ChannelSettings[],
  kinds: readonly ChannelKind[],
  capabilities: ChannelCapabilities,
): Promise<readonly ConfiguredChannel[]> {
  const names = new Set<string>()
  const created: ConfiguredChannel[] = []
  for (const settings of channels.filter(({ enabled }) => enabled)) {
    if (names.has(settings.name))
      throw new ConfigError(
        `channel ${settings.name}`,
        'two channels have this name, which stands in the outbox',
        'name = "another"',
      )
    names.add(settings.name)
    created.push(await createChannel(settings, kinds, capabilities))
  }
  return created
}

async function createChannel(
  settings: ChannelSettings,
  kinds: readonly ChannelKind[],
  capabilities: ChannelCapabilities,
): Promise<ConfiguredChannel> {
  const kind = kinds.find((candidate) => candidate.kind === settings.kind)
  if (kind === undefined)
    throw new ConfigError(
      `channel ${settings.name}`,
      `there is no kind '${settings.kind.slice(0, 40)}'`,
      `kind = one of ${kinds.map((each) => each.kind).join(', ')}`,
    )
  const { files, http, clock, timeoutMs } = capabilities
  const place = `channel ${settings.name}`
  if (settings.optInFile !== null && !kind.hasRecipients)
    throw new ConfigError(place, `a ${kind.kind} cannot write to operators`, 'opt_in_file in a channel of kind smtp')
  const parts: ChannelParts = {
    settings,
    http,
    clock,
    timeoutMs,
    authorities:
      settings.authorities === null ? undefined : await readFile(files, place, settings.authorities, FILE_OCTETS_MAX),
    secret: async (name, variable) => {
      const found = await findSecret(settings, name, variable, capabilities)
      if (found !== undefined) return found
      throw new ConfigError(
        place,
        `its ${keyOf(name)} is not given`,
        `${variable}=…, or ${keyOf(name)} = "FILE" (0600)`,
      )
    },
    optionalSecret: (name, variable) => findSecret(settings, name, variable, capabilities),
    required: (name) => {
      const value = settings[name]
      if (value !== null) return value
      const key = name === 'chatId' ? 'chat_id' : name
      throw new ConfigError(place, `a ${kind.kind} cannot do without ${key}`, `${key} = "…"`)
    },
  }
  const optedIn =
    settings.optInFile === null
      ? new Set<string>()
      : parseOptIn(settings.optInFile, await readFile(files, place, settings.optInFile, FILE_OCTETS_MAX))
  return { settings, channel: await kind.create(parts), optedIn }
}

async function findSecret(
  settings: ChannelSettings,
  name: SecretName,
  variable: string,
  { files, environment }: ChannelCapabilities,
): Promise<string | undefined> {
  const path = settings[name]
  const place = `channel ${settings.name}`
  const text = path === null ? (environment[variable] ?? '') : await readSecretFile(files, place, path)
  const secret = text.trim()
  if (path === null && secret === '') return undefined
  if (secret !== '' && /^[\p{L}\p{N}\p{P}\p{S} ]+$/u.test(secret)) return secret
  throw new ConfigError(place, `${path ?? variable} holds no secret of one line`, 'one line of text')
}

async function readSecretFile(files: Files, place: string, path: string): Promise<string> {
  const info = await files.info(path)
  if (info !== undefined && (info.mode & OTHERS) !== 0)
    throw new ConfigError(place, `${path} can be read by others, and it holds a secret`, `chmod 600 ${path}`)
  return readFile(files, place, path, SECRET_OCTETS_MAX)
}

async function readFile(files: Files, place: string, path: string, octetsMax: number): Promise<string> {
  try {
    return await readText(files, path, octetsMax)
  } catch (cause) {
    if (!(cause instanceof FileError)) throw cause
    throw new ConfigError(place, `reading ${path} fails with ${cause.code}`, 'name a file that can be read', { cause })
  }
}

function keyOf(name: SecretName): string {
  return name.replace('File', '_file')
}
