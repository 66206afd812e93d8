/** `candor lab alerts`: servers on loopback that take alerts, so that channels can be tried without the Internet. */
import type { Command } from 'commander'
import { startTelegramServer } from '../lab/telegram-server.ts'
import { startWebhookReceiver } from '../lab/webhook-receiver.ts'
import type { CliContext } from './cli-context.ts'

/** Adds the command to `candor lab`. */
export function registerLabAlerts(lab: Command, context: CliContext): void {
  lab
    .command('alerts')
    .description('take alerts on loopback as Telegram and as a webhook would, and print what arrives')
    .action(async () => {
      const { clock, interrupted } = context
      const [token, secret] = [`1:${context.newSeed()}`, context.newSeed()]
      const print = (record: object): void => {
        void context.stdout.write(`${JSON.stringify(record)}\n`)
      }
      await using telegram = await startTelegramServer({
        token,
        clock,
        onMessage: ({ chatId, text }) => {
          print({ kind: 'telegram', chat_id: chatId, text })
        },
      })
      await using webhook = await startWebhookReceiver({
        secret,
        clock,
        onWebhook: ({ id, body }) => {
          print({ kind: 'webhook', id, body })
        },
      })
      await context.say(introduce(telegram.url, webhook.url, token, secret))
      await new Promise<void>((resolve) => {
        if (interrupted.aborted) resolve()
        interrupted.addEventListener('abort', () => {
          resolve()
        })
      })
    })
}

function introduce(telegramUrl: string, webhookUrl: string, token: string, secret: string): string {
  return `Settings for another terminal (file lab-alerts.toml):

[[alerts.channels]]
name = "lab-telegram"
kind = "telegram"
api_base = "${telegramUrl}"

[[alerts.channels]]
name = "lab-webhook"
kind = "webhook"
url = "${webhookUrl}"

And the command:

TELEGRAM_BOT_TOKEN=${token} TELEGRAM_CHAT_ID=1 CANDOR_WEBHOOK_SECRET=${secret} candor --config lab-alerts.toml alerts test

What arrives is printed here. Ctrl-C ends it.
`
}
