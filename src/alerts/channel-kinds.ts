/** Every kind of channel that needs nothing but HTTP; mail is an adapter of Node and is added by whoever composes. */
import type { ChannelKind } from './channel.ts'
import { discordChannel, ntfyChannel, slackChannel } from './chat-channels.ts'
import { telegramChannel } from './telegram-channel.ts'
import { webhookChannel } from './webhook-channel.ts'

/** In the order of the manual. */
export const HTTP_CHANNEL_KINDS: readonly ChannelKind[] = [
  telegramChannel,
  webhookChannel,
  ntfyChannel,
  slackChannel,
  discordChannel,
]
