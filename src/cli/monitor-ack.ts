/** `candor monitor ack`: somebody has seen an incident and takes care, or says that what is new is right. */
import type { Command } from 'commander'
import { ConfigError } from '../core/config-error.ts'
import { formatIsoTime } from '../core/clock.ts'
import { parseDuration } from '../core/duration.ts'
import { formatMonitorKey } from '../model/monitor-name.ts'
import type { Acknowledgement } from '../model/monitor-state.ts'
import { openMonitorStore } from '../store/monitor-store.node.ts'
import { acknowledgeIncidents } from '../verdicts/monitor-acknowledge.ts'
import { createMonitorState } from '../verdicts/monitor-profile.ts'
import type { CliContext } from './cli-context.ts'
import { acknowledgeBeside, findWatchingDaemon } from './monitor-beside-daemon.ts'
import { readDataDirectory } from './monitor-options.ts'
import { readMonitorPlan } from './monitor-plan.ts'

const FOR_DEFAULT = '24h'
const FOR_MAX_MS = 90 * 86_400_000

interface AckFlags {
  readonly config?: string
  readonly dataDir?: string
  readonly who: string
  readonly note: string
  readonly for: string
  readonly accept?: boolean
}

/** Adds `candor monitor ack`. */
export function registerMonitorAck(monitor: Command, context: CliContext): void {
  const command = monitor
    .command('ack')
    .description('acknowledge an open incident: no reminders for a while; or accept what is new')
    .argument('<incident>', 'the beginning of its key, at least 8 digits')
    .option('--config <file>', 'the names to watch (default: dns-monitor.toml)')
    .option('--data-dir <directory>', 'where it is kept (CANDOR_DATA_DIR)')
    .option('--who <name>', 'who takes care', 'somebody')
    .option('--note <text>', 'what for', '')
    .option('--for <duration>', 'when it clears itself', FOR_DEFAULT)
    .option('--accept', 'what is new is right: learn it, and close the incident')
  command.action(async (keyStart: string) => {
    const flags = command.optsWithGlobals<AckFlags>()
    if (!/^[\da-f]{8,64}$/.test(keyStart))
      throw new ConfigError(
        keyStart.slice(0, 80),
        'it is no key of an incident',
        'candor monitor explain NAME shows keys',
      )
    const forMs = parseDuration(flags.for)
    if (!(forMs > 0 && forMs <= FOR_MAX_MS))
      throw new ConfigError(`--for ${flags.for.slice(0, 40)}`, 'it is no duration up to 2160h', '--for 24h')
    const nowMs = Math.round(context.clock.wallNowMs())
    const acknowledgement = { who: flags.who, note: flags.note, untilMs: nowMs + forMs }
    const isAccepted = flags.accept === true
    const dataDirectory = readDataDirectory(flags.dataDir, context, 'candor monitor ack')
    const daemon = await findWatchingDaemon(context, dataDirectory)
    const order = { incident: keyStart, who: flags.who, note: flags.note, seconds: Math.ceil(forMs / 1_000) }
    const total =
      daemon === undefined
        ? await acknowledgeHere(context, flags, dataDirectory, keyStart, acknowledgement, nowMs)
        : await acknowledgeBeside(daemon, { ...order, accept: isAccepted })
    const until = isAccepted ? 'accepted' : `acknowledged until ${formatIsoTime(acknowledgement.untilMs)}`
    await context.say(`${total} ${total === 1 ? 'incident is' : 'incidents are'} ${until}`)
  })
}

/** Without a daemon: in the file, which a watch of `candor monitor run` reads again. */
async function acknowledgeHere(
  context: CliContext,
  flags: AckFlags,
  dataDirectory: string,
  keyStart: string,
  acknowledgement: Acknowledgement,
  nowMs: number,
): Promise<number> {
  const plan = await readMonitorPlan(context, flags.config)
  await using store = await openMonitorStore(dataDirectory, null)
  let total = 0
  for (const name of plan.names) {
    const key = formatMonitorKey(name)
    const known = await store.load(key)
    if (known?.incidents.some((each) => each.status === 'open' && each.key.startsWith(keyStart)) !== true) continue
    total += await store.update(key, (before) => {
      const start = before ?? createMonitorState()
      const isAccepted = flags.accept === true
      const { state, count } = acknowledgeIncidents(start, name, keyStart, acknowledgement, isAccepted, nowMs)
      return { state, result: count }
    })
  }
  if (total === 0)
    throw new ConfigError(keyStart, 'no open incident has this key', 'candor monitor explain NAME shows keys')
  return total
}
