/** A Worker, resolvers and Telegram, all on loopback, and the hand that turns the minutes. */
import { expect } from 'vitest'
import { startTelegramServer, type TelegramServer } from '../../src/lab/telegram-server.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { startDohWorld, type DohWorld, type World } from './doh-world.ts'
import { startWorkerSite, type WorkerBundle, type WorkerSite } from './worker-site.ts'

/** When stages begin. */
export const T0: number = Date.parse('2026-11-21T10:00:00Z')
/** In milliseconds. */
export const MINUTE: number = 60_000
const TOKEN = '123456:ABC-def'
/** The token of orders. */
export const API_TOKEN: string = 'a-token-of-enough-letters'
/** A configuration with one name, which holds markup. */
export const SHOP: string = '[[domains]]\nname = "Shop <1>"\ndomain = "shop.zone.example"\nrecord_type = "A"\n'
/** The header of orders. */
export const BEARER: Readonly<Record<string, string>> = { authorization: `Bearer ${API_TOKEN}` }

/** A Worker with everything around it. */
export interface Stage extends AsyncDisposable {
  readonly site: WorkerSite
  readonly doh: DohWorld
  readonly telegram: TelegramServer
  /** Runs the cron of minutes since the start, each once. */
  minutes(from: number, to: number): Promise<void>
  /** Makes all profiles old enough to judge. */
  mature(): Promise<void>
}

interface Batch {
  readonly revision: number
  readonly names: Record<string, { readonly state: { readonly profile: object } }>
}

/** Starts a stage. @param burst - Messages that Telegram takes before it wants a pause. */
export async function startStage(
  bundle: WorkerBundle,
  toml: string,
  world: World,
  variables: Record<string, string> = {},
  burst: number = Infinity,
): Promise<Stage> {
  const doh = await startDohWorld(world)
  const telegram = await startTelegramServer({ token: TOKEN, clock: nodeClock, burst, retryAfterSeconds: 0 })
  const site = await startWorkerSite(bundle, {
    toml,
    variables: { TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_CHAT_ID: '42', CANDOR_API_TOKEN: API_TOKEN, ...variables },
    route: (host) => (host === 'api.telegram.org' ? telegram.url : doh.url),
  })
  return {
    site,
    doh,
    telegram,
    minutes: async (from, to) => {
      for (let minute = from; minute <= to; minute++) expect(await site.cron(T0 + minute * MINUTE)).toBe('ok')
    },
    mature: async () => {
      for (const key of (await site.listKv()).filter((name) => /^profile:\d+$/.test(name))) {
        const batch = (await site.readKv(key)) as Batch
        const names = Object.entries(batch.names).map(([name, known]) => {
          const profile = { ...known.state.profile, isImported: true }
          return [name, { ...known, state: { ...known.state, profile } }]
        })
        await site.writeKv(
          key,
          JSON.stringify({ ...batch, revision: batch.revision + 1, names: Object.fromEntries(names) }),
        )
      }
    },
    [Symbol.asyncDispose]: async () => {
      await site[Symbol.asyncDispose]()
      await doh[Symbol.asyncDispose]()
      await telegram[Symbol.asyncDispose]()
    },
  }
}
