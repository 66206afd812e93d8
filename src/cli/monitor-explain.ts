/** `candor monitor explain`: what is known of a name, how its answers move, and what is wrong with it. */
import type { Command } from 'commander'
import { formatIsoTime } from '../core/clock.ts'
import { formatMonitorKey, type MonitoredName } from '../model/monitor-name.ts'
import type { MonitorIncident, MonitorState } from '../model/monitor-state.ts'
import { openMonitorStore } from '../store/monitor-store.node.ts'
import { isLearning, observeMode } from '../verdicts/monitor-profile.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_INCOMPLETE } from './exit-status.ts'
import { explainBeside, findWatchingDaemon } from './monitor-beside-daemon.ts'
import { readDataDirectory } from './monitor-options.ts'
import { readMonitorPlan, selectNames } from './monitor-plan.ts'

const INCIDENTS_MAX = 100

/** Adds `candor monitor explain`. */
export function registerMonitorExplain(monitor: Command, context: CliContext): void {
  const command = monitor
    .command('explain')
    .description('what is known of a name, how its answers move, and its incidents, as JSON')
    .argument('[name]', 'a name of the file; all without one')
    .option('--config <file>', 'the names to watch (default: dns-monitor.toml)')
    .option('--data-dir <directory>', 'where it is kept (CANDOR_DATA_DIR)')
  command.action(async (word: string | undefined) => {
    const flags = command.optsWithGlobals<{ readonly config?: string; readonly dataDir?: string }>()
    const dataDirectory = readDataDirectory(flags.dataDir, context, 'candor monitor explain')
    const write = (record: object): Promise<void> =>
      context.stdout.write(`${JSON.stringify(record, null, context.stdout.isTerminal ? 2 : 0)}\n`)
    const daemon = await findWatchingDaemon(context, dataDirectory)
    if (daemon !== undefined) {
      for (const record of await explainBeside(daemon, word)) await write(record)
      return
    }
    const plan = await readMonitorPlan(context, flags.config)
    const names = selectNames(plan, word)
    await using store = await openMonitorStore(dataDirectory, null)
    let isMissing = false
    for (const name of names) {
      const key = formatMonitorKey(name)
      const state = await store.load(key)
      if (state === undefined) {
        isMissing = true
        await context.say(`${key} was never watched here`)
        continue
      }
      const incidents = await store.incidents(key, INCIDENTS_MAX)
      await write(toRecord(name, state, incidents, context.clock.wallNowMs()))
    }
    if (isMissing) context.finish(STATUS_INCOMPLETE)
  })
}

function toRecord(
  name: MonitoredName,
  { profile, candidates }: MonitorState,
  incidents: readonly MonitorIncident[],
  nowMs: number,
): object {
  return {
    name: name.name,
    domain: name.domain,
    record_type: name.type,
    mode: name.mode,
    observed_mode: observeMode(profile),
    is_learning: isLearning(profile, nowMs),
    rounds: profile.rounds,
    baseline_at: toTime(profile.baselineAtMs),
    ttl_seconds: profile.ttl === null ? null : { min: profile.ttl.min, max: profile.ttl.max },
    values: Object.entries(profile.units).map(([value, unit]) => ({
      value,
      asn: unit.asn,
      prefix: unit.prefix,
      country: unit.country,
      first_seen: toTime(unit.firstSeenMs),
      last_seen: toTime(unit.lastSeenMs),
      resolvers: unit.resolvers,
    })),
    confirming: candidates.map((candidate) => candidate.class),
    incidents: incidents.map((incident) => ({
      key: incident.key,
      subject: incident.subject,
      resolver: incident.resolver,
      severity: incident.severity,
      channel: incident.channel,
      status: incident.status,
      opened_at: toTime(incident.openedAtMs),
      last_seen: toTime(incident.lastSeenMs),
      closed_at: toTime(incident.closedAtMs),
      is_flapping: incident.isFlapping,
      asns: incident.asns,
      values: Object.keys(incident.units),
      corroboration: {
        authoritative: incident.corroboration.authoritative,
        dnssec: incident.corroboration.dnssec,
        tls: incident.corroboration.tls,
        parent_ns: incident.corroboration.parentNs,
        parent_ds: incident.corroboration.parentDs,
      },
      acknowledged:
        incident.acknowledgement === null
          ? null
          : {
              who: incident.acknowledgement.who,
              note: incident.acknowledgement.note,
              until: toTime(incident.acknowledgement.untilMs),
            },
    })),
  }
}

function toTime(atMs: number | null): string | null {
  return atMs === null ? null : formatIsoTime(atMs)
}
