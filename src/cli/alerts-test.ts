/** `candor alerts test`: sends one message through the configured channels, past the outbox, and says what came of it. */
import type { Command } from 'commander'
import type { DeliveryOutcome } from '../alerts/channel.ts'
import type { ConfiguredChannel } from '../alerts/create-channels.ts'
import { ALERT_SETTING_GROUP, type AlertSettings } from '../config/alert-settings.ts'
import { formatCompactTime, formatIsoTime } from '../core/clock.ts'
import { ConfigError } from '../core/config-error.ts'
import type { AlertMessage } from '../model/alert.ts'
import { setUpChannels } from './alert-service.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_FAILED } from './exit-status.ts'
import { formatRecords } from './format-records.ts'
import { addSettingOptions } from './load-settings.ts'

/** Adds the command to `candor alerts`. */
export function registerAlertsTest(
  alerts: Command,
  context: CliContext,
  readSettings: (command: Command) => Promise<{ readonly alerts: AlertSettings }>,
): void {
  const test = alerts
    .command('test')
    .argument('[channel]', 'only this one')
    .description('send a test message through the configured channels, and say what came of it')
  addSettingOptions(test, [ALERT_SETTING_GROUP])
  test.action(async (only: string | undefined) => {
    const { alerts: settings } = await readSettings(test)
    const channels = pick(await setUpChannels(context, settings), only)
    const message = composeTest(context.clock.wallNowMs())
    const outcomes = await Promise.all(channels.map((channel) => send(channel, message, context)))
    const records = outcomes.map((outcome, index) => ({
      channel: channels[index]?.settings.name ?? '',
      kind: channels[index]?.settings.kind ?? '',
      outcome: outcome.kind === 'sent' ? 'sent' : 'failed',
      error: outcome.kind === 'sent' ? null : outcome.error,
    }))
    await context.stdout.write(formatRecords(records, context.stdout.isTerminal))
    if (outcomes.some(({ kind }) => kind !== 'sent')) context.finish(STATUS_FAILED)
  })
}

function pick(channels: readonly ConfiguredChannel[], only: string | undefined): readonly ConfiguredChannel[] {
  const chosen = only === undefined ? channels : channels.filter(({ settings }) => settings.name === only)
  if (chosen.length > 0) return chosen
  if (only === undefined)
    throw new ConfigError(
      'alerts.channels',
      'no channel is configured',
      '[[alerts.channels]] with name, kind and what the kind needs; see docs/manual/alerts.md',
    )
  const names = channels.map(({ settings }) => settings.name).join(', ')
  throw new ConfigError(only.slice(0, 60), 'there is no channel of that name', `one of ${names}`)
}

async function send(
  { channel }: ConfiguredChannel,
  message: AlertMessage,
  { interrupted }: CliContext,
): Promise<DeliveryOutcome> {
  for (const [index, part] of channel.format(message).entries()) {
    const id = `${message.id}.${index + 1}`
    const outcome = await channel.send(part, { id, recipient: '', signal: interrupted })
    if (outcome.kind !== 'sent') return outcome
  }
  return { kind: 'sent' }
}

function composeTest(nowMs: number): AlertMessage {
  return {
    id: `test-${formatCompactTime(nowMs)}`,
    event: 'test',
    severity: 'info',
    campaign: null,
    createdAt: formatIsoTime(nowMs),
    title: 'Alerts of Candor get here',
    lines: ['Somebody ran `candor alerts test`. Nothing is wrong.'],
    items: [],
    tags: [],
    contacts: [],
  }
}
