/**
 * What a deployment of the Worker is told: the file `dns-monitor.toml` that is bundled with it, variables and secrets.
 *
 * **Invariant**: what cannot be used is an error that names file, line and the right form. Nothing falls back to anything: without
 * a file and without `DNS_MONITOR_CONFIG` nothing is watched, and every invocation says so.
 */
import type { Clock } from '../core/clock.ts'
import { ConfigError } from '../core/config-error.ts'
import type { ChannelSettings } from '../model/channel-settings.ts'
import type { MonitorPlan } from '../model/monitor-name.ts'
import type { HttpClient } from '../net/http-client.ts'
import type { AlertChannel } from '../alerts/channel.ts'
import { telegramChannel } from '../alerts/telegram-channel.ts'
import { parseMonitorFile, parseMonitorJson } from '../config/monitor-file.ts'
import { findTablePlaces } from '../config/monitor-table.ts'
import type { KvNamespace } from './subrequests.ts'
import { BATCH_COST, questionBudget, WORKER_LIMITS, type WorkerLimits, type WorkerPlanName } from './worker-limits.ts'

/** What Cloudflare hands to the Worker: bindings, variables and secrets. */
export interface WorkerEnvironment {
  readonly DNS_HISTORY?: KvNamespace
  /** Older form of the configuration: a JSON list. */
  readonly DNS_MONITOR_CONFIG?: string
  /** `free` or `paid`. */
  readonly CANDOR_PLAN?: string
  readonly TELEGRAM_BOT_TOKEN?: string
  readonly TELEGRAM_CHAT_ID?: string
  /** The token of `/check` and `/ack`. */
  readonly CANDOR_API_TOKEN?: string
  /** When it is given, pages and the API need it. */
  readonly CANDOR_READ_TOKEN?: string
  /** JSON: owner → the token that reads what is theirs. Pages and the API need a token then. */
  readonly CANDOR_OWNER_TOKENS?: string
}

/** The bundled file. */
export interface BundledFile {
  readonly name: string
  readonly text: string
}

/** A configuration that can be used. */
export interface WorkerConfig {
  readonly plan: MonitorPlan
  readonly planName: WorkerPlanName
  readonly limits: WorkerLimits
}

const TOKEN_CHARS_MIN = 16

/** Reads a configuration. @throws {ConfigError} */
export function readWorkerConfig(file: BundledFile, environment: WorkerEnvironment): WorkerConfig {
  const planName = environment.CANDOR_PLAN ?? 'free'
  if (planName !== 'free' && planName !== 'paid')
    throw new ConfigError('CANDOR_PLAN', `"${planName.slice(0, 40)}" is no plan`, '"CANDOR_PLAN": "free" or "paid"')
  const limits = WORKER_LIMITS[planName]
  checkSecrets(environment)
  const { plan, placeOf } = readPlan(file, environment)
  for (const { name, transport } of plan.resolvers) {
    if (transport === 'https' || transport === 'https_json') continue
    throw new ConfigError(
      placeOf(name),
      `the resolver "${name}" speaks ${transport}, and a Worker can ask over HTTPS only`,
      'url = "https://dns.zone.example/dns-query"',
    )
  }
  const resolversMax = Math.floor(questionBudget(limits) / 2) - BATCH_COST
  for (const { domain, type, resolvers } of plan.names) {
    if (resolvers.length <= resolversMax) continue
    const message = `${domain} ${type} has ${resolvers.length} resolvers, and one invocation can ask ${resolversMax}`
    throw new ConfigError(file.name, message, 'resolvers = [...] with fewer of them, or the paid plan')
  }
  return { plan, planName, limits }
}

/** Makes the channel. @returns `null` where no secret of Telegram is given: nobody is told. @throws {ConfigError} */
export async function createWorkerChannel(
  environment: WorkerEnvironment,
  { http, clock, timeoutMs }: { readonly http: HttpClient; readonly clock: Clock; readonly timeoutMs: number },
): Promise<AlertChannel | null> {
  const { TELEGRAM_BOT_TOKEN: token, TELEGRAM_CHAT_ID: chatId } = environment
  if (isBlank(token) || isBlank(chatId)) return null
  const secrets = new Map([
    ['TELEGRAM_BOT_TOKEN', token?.trim()],
    ['TELEGRAM_CHAT_ID', chatId?.trim()],
  ])
  return telegramChannel.create({
    settings: TELEGRAM_SETTINGS,
    http,
    clock,
    timeoutMs,
    authorities: undefined,
    secret: (_name, variable) => Promise.resolve(secrets.get(variable) ?? ''),
    optionalSecret: (_name, variable) => Promise.resolve(secrets.get(variable)),
    required: (name) => {
      throw new ConfigError('telegram', `it cannot do without ${name}`, 'TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID')
    },
  })
}

const TELEGRAM_SETTINGS: ChannelSettings = {
  name: 'telegram',
  kind: 'telegram',
  enabled: true,
  minSeverity: 'info',
  events: [],
  subscribe: [],
  perMinute: 20,
  url: null,
  urlFile: null,
  secretFile: null,
  tokenFile: null,
  chatId: null,
  apiBase: null,
  host: null,
  port: null,
  security: 'tls',
  user: null,
  passwordFile: null,
  from: null,
  to: [],
  optInFile: null,
  authorities: null,
}

function checkSecrets(environment: WorkerEnvironment): void {
  if (isBlank(environment.TELEGRAM_BOT_TOKEN) !== isBlank(environment.TELEGRAM_CHAT_ID)) {
    const missing = isBlank(environment.TELEGRAM_CHAT_ID) ? 'TELEGRAM_CHAT_ID' : 'TELEGRAM_BOT_TOKEN'
    throw new ConfigError(missing, 'a bot needs a token and a chat', `npx wrangler secret put ${missing}`)
  }
  for (const name of ['CANDOR_API_TOKEN', 'CANDOR_READ_TOKEN'] as const) {
    const token = environment[name]
    if (isBlank(token) || (token ?? '').trim().length >= TOKEN_CHARS_MIN) continue
    const form = `npx wrangler secret put ${name}, with what "openssl rand -hex 20" gives`
    throw new ConfigError(name, `it has fewer than ${TOKEN_CHARS_MIN} characters, and can be guessed`, form)
  }
  parseOwnerTokens(environment.CANDOR_OWNER_TOKENS)
}

function readPlan(
  { name, text }: BundledFile,
  { DNS_MONITOR_CONFIG: json }: WorkerEnvironment,
): { readonly plan: MonitorPlan; readonly placeOf: (resolver: string) => string } {
  const hasFile = text.split('\n').some((line) => !/^\s*(?:#|$)/.test(line))
  if (hasFile) {
    const plan = parseMonitorFile(name, text, [TELEGRAM_SETTINGS.name])
    checkReputation(name, text, plan)
    const places = findTablePlaces(text).get('resolvers') ?? []
    const placeOf = (resolver: string): string => {
      const place = places[plan.resolvers.findIndex((each) => each.name === resolver)]
      return place === undefined ? name : `${name}:${place.keys.get('url') ?? place.line}`
    }
    return { plan, placeOf }
  }
  const source = 'DNS_MONITOR_CONFIG'
  if (!isBlank(json)) return { plan: parseMonitorJson(source, json ?? ''), placeOf: () => source }
  throw new ConfigError(
    `${name}:1`,
    'it is empty, and there is no DNS_MONITOR_CONFIG',
    '[[domains]] with name = "Shop", domain = "shop.zone.example", record_type = "A", category = "web"',
  )
}

function isBlank(text: string | undefined): boolean {
  return text === undefined || text.trim() === ''
}

/** A Worker has no files. */
function checkReputation(name: string, text: string, { extras }: MonitorPlan): void {
  if (extras === undefined || extras.reputation.length === 0) return
  const line = findTablePlaces(text).get('reputation')?.[0]?.line
  const place = line === undefined ? name : `${name}:${line}`
  const form = '[[blocklists]] with zone = "list.example", which is asked over DNS'
  throw new ConfigError(place, 'a Worker has no files of addresses', form)
}

/** Reads `{"team-web": "TOKEN"}`. @returns Owners with their tokens. @throws {ConfigError} */
export function parseOwnerTokens(text: string | undefined): readonly (readonly [string, string])[] {
  if (isBlank(text)) return []
  const name = 'CANDOR_OWNER_TOKENS'
  const form = `{"team-web": "TOKEN"}, each token of ${TOKEN_CHARS_MIN} characters or more`
  let value: unknown
  try {
    value = JSON.parse(text ?? '')
  } catch {
    // What the parser says would show a part of the secret.
    throw new ConfigError(name, 'it is no JSON', form)
  }
  const entries: readonly (readonly [string, unknown])[] =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
  const tokens = entries.flatMap(([owner, token]) =>
    typeof token === 'string' && token.trim().length >= TOKEN_CHARS_MIN ? [[owner, token] as const] : [],
  )
  if (tokens.length > 0 && tokens.length === entries.length) return tokens
  throw new ConfigError(name, 'it is no table of owners and tokens', form)
}
