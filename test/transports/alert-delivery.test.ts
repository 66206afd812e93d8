import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createDeliveryWorker } from '../../src/alerts/delivery-worker.ts'
import { processExitRun } from '../../src/campaigns/exits/process-exit-run.ts'
import { createLog, type LogFields } from '../../src/core/log.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { startTelegramServer } from '../../src/lab/telegram-server.ts'
import { startWebhookReceiver } from '../../src/lab/webhook-receiver.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { TWO_IN_A_ROW_ALERT_RULE } from '../../src/verdicts/failure-counters.ts'
import { createRealChannels, exampleSettings, openTestStores } from '../alert-fixtures/alert-parts.ts'
import { exampleReport } from '../exit-fixtures/example-report.ts'

const SECRETS = {
  TELEGRAM_BOT_TOKEN: '123456:SECRET-token',
  TELEGRAM_CHAT_ID: '-100',
  CANDOR_WEBHOOK_SECRET: 'SECRET-key',
  CANDOR_SMTP_PASSWORD: 'SECRET-password',
}

/** A mail server that accepts connections and never says a word. */
async function startSilentServer(): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

describe('createDeliveryWorker', () => {
  test('is held up by no dead service, loses nothing, and says no secret', { timeout: 60_000 }, async () => {
    await using telegram = await startTelegramServer({
      token: SECRETS.TELEGRAM_BOT_TOKEN,
      clock: nodeClock,
      burst: 5,
      retryAfterSeconds: 1,
    })
    let isBroken = true
    await using hook = await startWebhookReceiver({
      secret: SECRETS.CANDOR_WEBHOOK_SECRET,
      clock: nodeClock,
      behave: () => (isBroken ? 500 : undefined),
    })
    const port = await startSilentServer()
    const channels = await createRealChannels(
      [
        exampleSettings({
          name: 'dead-mail',
          kind: 'smtp',
          host: '127.0.0.1',
          port,
          from: 'a@b.example',
          to: ['c@d.example'],
          user: 'candor',
        }),
        exampleSettings({ name: 'hook', url: hook.url }),
        exampleSettings({ name: 'chat', kind: 'telegram', apiBase: telegram.url }),
      ],
      SECRETS,
      300,
    )
    const stores = await openTestStores()
    const logged: (readonly [string, LogFields])[] = []
    const worker = createDeliveryWorker({
      ...stores,
      channels,
      policy: { timeoutMs: 300, giveUpAfterMs: 3_600_000, quietHours: null, digest: null },
      clock: nodeClock,
      random: createSeededRandom('alert-delivery'),
      log: createLog((_level, event, fields) => logged.push([event, fields])),
    })
    const ending = new AbortController()
    const running = worker.run(ending.signal)
    const policy = { rule: TWO_IN_A_ROW_ALERT_RULE, reminderMs: 0 }
    for (let run = 0; run < 6; run++) {
      const status = run % 3 === 2 ? 'success' : 'timeout'
      const facts = { run_id: `2026013112000${run}`, timestamp: `2026-01-31T12:00:0${run}.000Z` }
      await processExitRun(exampleReport([status, status], facts), stores, policy, nodeClock.wallNowMs())
      worker.wake()
    }
    // Two relays, two incidents each, told when they began and when they ended.
    await expect.poll(() => telegram.messages.length, { timeout: 30_000 }).toBe(8)
    expect(telegram.limited()).toBeGreaterThan(0)
    expect(telegram.messages.filter(({ text }) => text.startsWith('New'))).toHaveLength(4)
    await expect
      .poll(async () => (await stores.outbox.status()).map(({ lastError }) => lastError), { timeout: 30_000 })
      .toEqual([null, 'generic_timeout_error', 'http_unexpected_status_code: 500'])
    expect(await stores.outbox.status()).toMatchObject([
      { channel: 'chat', waiting: 0, sent: 8 },
      { channel: 'dead-mail', waiting: 8, dead: 0 },
      { channel: 'hook', waiting: 8, dead: 0 },
    ])
    isBroken = false
    await expect.poll(() => hook.webhooks.length, { timeout: 50_000 }).toBe(8)
    ending.abort()
    await running
    const told = JSON.stringify([logged, await stores.outbox.list(['waiting', 'sent', 'sending', 'dead'], 100)])
    expect(told).toContain('alerts.message.failed')
    expect(told).not.toContain('SECRET')
  })
})
