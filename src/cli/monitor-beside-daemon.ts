/**
 * The commands of the monitor beside a daemon that watches: it knows the names and their states, so it is asked.
 *
 * Invariant: nothing is written by the command itself while a daemon answers.
 */
import type {
  KnownValueRecord,
  MonitorDetailRecord,
  MonitorIncidentRecord,
  MonitorRecord,
} from '../api/monitor-records.ts'
import { ConfigError } from '../core/config-error.ts'
import { findNearestName } from '../core/nearest-name.ts'
import type { CliContext } from './cli-context.ts'
import { findDaemon, readAnswer, type DaemonClient } from './daemon-client.ts'

const PATH = '/api/v1/monitors'

/** What `candor monitor ack` says. */
export interface AckOrder {
  readonly incident: string
  readonly who: string
  readonly note: string
  readonly seconds: number
  readonly accept: boolean
}

/** @returns The daemon of a data directory, when it answers and watches something. */
export async function findWatchingDaemon(
  { files }: Pick<CliContext, 'files'>,
  dataDirectory: string,
): Promise<DaemonClient | undefined> {
  const client = await findDaemon(files, dataDirectory)
  if (client === undefined) return undefined
  const { status, text } = await client.get(`${PATH}?limit=1`)
  if (status !== 200) return undefined
  const { monitors } = JSON.parse(text) as { readonly monitors: readonly MonitorRecord[] }
  return monitors.length > 0 ? client : undefined
}

/** Acknowledges. @returns How many incidents. @throws {ConfigError} When no open one has the key. */
export async function acknowledgeBeside(client: DaemonClient, order: AckOrder): Promise<number> {
  const answer = await client.post(`${PATH}/acknowledge`, order)
  if (answer.status === 404)
    throw new ConfigError(order.incident, 'no open incident has this key', 'candor monitor explain NAME shows keys')
  return (readAnswer(answer) as { readonly acknowledged: number }).acknowledged
}

/** What the daemon knows of the names that a word means; of all without one. @throws {ConfigError} For none. */
export async function explainBeside(client: DaemonClient, word: string | undefined): Promise<readonly object[]> {
  const names = await listNames(client)
  const wanted = word?.toLowerCase().replace(/\.$/, '')
  const isMeant = ({ domain, name }: MonitorRecord): boolean =>
    wanted === undefined || domain === wanted || name.toLowerCase() === wanted
  const found = names.filter(isMeant)
  if (found.length === 0) {
    const near = findNearestName(word ?? '', [...new Set(names.flatMap(({ name, domain }) => [name, domain]))])
    throw new ConfigError(word ?? '', 'the daemon watches nothing of this name', near ?? `one of: ${names[0]?.domain}`)
  }
  const records: object[] = []
  for (const { url } of found) records.push(toExplained(readAnswer(await client.get(url)) as MonitorDetailRecord))
  return records
}

async function listNames(client: DaemonClient): Promise<readonly MonitorRecord[]> {
  const all: MonitorRecord[] = []
  let after: string | null = ''
  while (after !== null) {
    const query: string = after === '' ? '' : `?after=${encodeURIComponent(after)}`
    const page = readAnswer(await client.get(`${PATH}${query}`)) as {
      readonly monitors: readonly MonitorRecord[]
      readonly next_after: string | null
    }
    all.push(...page.monitors)
    after = page.next_after
  }
  return all
}

/** The fields that the command has without a daemon. */
function toExplained(record: MonitorDetailRecord): object {
  const { name, domain, record_type, mode, observed_mode, is_learning, rounds, baseline_at, ttl_seconds } = record
  const values: readonly KnownValueRecord[] = record.values
  const incidents = record.incidents.map((incident: MonitorIncidentRecord) => ({
    key: incident.key,
    subject: incident.subject,
    resolver: incident.resolver,
    severity: incident.severity,
    channel: incident.channel,
    status: incident.status,
    opened_at: incident.opened_at,
    last_seen: incident.last_seen,
    closed_at: incident.closed_at,
    is_flapping: incident.is_flapping,
    asns: incident.asns,
    values: incident.values,
    corroboration: incident.corroboration,
    recommendation: incident.recommendation,
    intelligence: incident.intelligence,
    acknowledged: incident.acknowledged,
  }))
  return {
    name,
    domain,
    record_type,
    mode,
    observed_mode,
    is_learning,
    rounds,
    baseline_at,
    ttl_seconds,
    values,
    incidents,
  }
}
