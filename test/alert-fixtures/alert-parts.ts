/** Messages, channel settings and stores, as tests of alerts need them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { AlertChannel, ChannelKind } from '../../src/alerts/channel.ts'
import { HTTP_CHANNEL_KINDS } from '../../src/alerts/channel-kinds.ts'
import { createChannels, type ConfiguredChannel } from '../../src/alerts/create-channels.ts'
import { smtpChannel } from '../../src/alerts/smtp.node.ts'
import type { AlertMessage } from '../../src/model/alert.ts'
import type { ChannelSettings } from '../../src/model/channel-settings.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeHttp } from '../../src/platform/node-http.ts'
import { openAlertStores, type AlertStores } from '../../src/store/alert-stores.node.ts'

/** A message with nothing remarkable about it. */
export function exampleMessage(id: string, changes: Partial<AlertMessage> = {}): AlertMessage {
  return {
    id,
    event: 'new',
    severity: 'medium',
    campaign: 'exits',
    createdAt: '2026-01-31T12:00:00.000Z',
    title: `about ${id}`,
    lines: ['One sentence.'],
    items: [],
    tags: [],
    contacts: [],
    ...changes,
  }
}

/** Settings of a channel: the defaults, fast. */
export function exampleSettings(changes: Partial<ChannelSettings>): ChannelSettings {
  return {
    name: 'ops',
    kind: 'webhook',
    enabled: true,
    minSeverity: 'info',
    events: [],
    subscribe: [],
    perMinute: 6_000,
    url: null,
    urlFile: null,
    secretFile: null,
    tokenFile: null,
    chatId: null,
    apiBase: null,
    host: null,
    port: null,
    security: 'starttls',
    user: null,
    passwordFile: null,
    from: null,
    to: [],
    optInFile: null,
    authorities: null,
    ...changes,
  }
}

/** Channels over real sockets. */
export function createRealChannels(
  settings: readonly ChannelSettings[],
  environment: Readonly<Record<string, string>> = {},
  timeoutMs = 5_000,
): Promise<readonly ConfiguredChannel[]> {
  const kinds: readonly ChannelKind[] = [...HTTP_CHANNEL_KINDS, smtpChannel]
  return createChannels(settings, kinds, { files: nodeFiles, http: nodeHttp, clock: nodeClock, environment, timeoutMs })
}

/** One channel over real sockets. */
export async function createRealChannel(
  settings: Partial<ChannelSettings>,
  environment: Readonly<Record<string, string>> = {},
  timeoutMs = 5_000,
): Promise<AlertChannel> {
  const [configured] = await createRealChannels([exampleSettings(settings)], environment, timeoutMs)
  if (configured === undefined) throw new Error('the channel is not enabled')
  return configured.channel
}

/** Sends one message through a channel, part after part. */
export async function sendAll(
  channel: AlertChannel,
  message: AlertMessage,
  recipient = '',
): Promise<readonly string[]> {
  const told: string[] = []
  for (const [index, part] of channel.format(message).entries()) {
    const signal = new AbortController().signal
    const outcome = await channel.send(part, { id: `${message.id}.${index + 1}`, recipient, signal })
    told.push(outcome.kind === 'sent' ? 'sent' : `${outcome.kind} ${outcome.error}`)
  }
  return told
}

/** A directory that goes away with the test. */
export function makeTestDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'candor-alerts-'))
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  return directory
}

/** Stores that go away with the test. */
export async function openTestStores(): Promise<AlertStores> {
  const directory = makeTestDirectory()
  const stores = await openAlertStores(directory, 'test')
  onTestFinished(() => stores[Symbol.asyncDispose]())
  return stores
}
