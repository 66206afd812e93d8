/** The command that delivers, killed again and again: nothing is lost, and nothing that is on the disk as sent comes again. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createSeededRandom, randomInt } from '../../src/core/random.ts'
import { startWebhookReceiver } from '../../src/lab/webhook-receiver.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { openAlertStores } from '../../src/store/alert-stores.node.ts'
import { exampleMessage, makeTestDirectory } from '../alert-fixtures/alert-parts.ts'
import { HOME } from '../tidy/source-tree.ts'

const KILLS = 20
const MESSAGES = 400

describe('candor alerts process', () => {
  test(`loses nothing and repeats nothing acknowledged over ${KILLS} kills`, { timeout: 300_000 }, async () => {
    const random = createSeededRandom('alert-kill')
    let onArrival = (): void => {}
    await using receiver = await startWebhookReceiver({
      secret: 'key',
      clock: nodeClock,
      behave: () => {
        onArrival()
        return undefined
      },
    })
    const directory = makeTestDirectory()
    const config = join(directory, 'candor.toml')
    writeFileSync(
      config,
      `data_dir = "${directory}"\n[[alerts.channels]]\nname = "hook"\nkind = "webhook"\nurl = "${receiver.url}"\nper_minute = 6000\n`,
    )
    const ids = Array.from({ length: MESSAGES }, (_, index) => `m${String(index).padStart(3, '0')}`)
    {
      await using stores = await openAlertStores(directory, null)
      for (const id of ids) await stores.outbox.add(exampleMessage(id))
    }
    /** Ids that are on the disk as sent. */
    const readSent = async (): Promise<readonly string[]> => {
      await using stores = await openAlertStores(directory, null)
      return (await stores.outbox.list(['sent'], 10_000)).map(({ messageId }) => messageId)
    }
    const start = (): ReturnType<typeof spawn> =>
      spawn(process.execPath, [join(HOME, 'src/cli/main.ts'), '--config', config, 'alerts', 'process'], {
        env: { ...process.env, CANDOR_WEBHOOK_SECRET: 'key' },
        stdio: 'ignore',
      })

    const arrivedWhenSent = new Map<string, number>()
    let duplicatesMax = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const child = start()
      const exited = once(child, 'exit')
      // After some arrivals, and then some microseconds to some milliseconds.
      let left = 1 + randomInt(random, 12)
      await new Promise<void>((resolve) => {
        onArrival = () => {
          if (--left === 0) resolve()
        }
        void exited.then(() => {
          resolve()
        })
      })
      const waitMs = randomInt(random, 15)
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      child.kill('SIGKILL')
      await exited
      duplicatesMax += 1
      for (const id of await readSent()) {
        const arrived = receiver.arrivals.get(id) ?? 0
        expect(arrived).toBe(arrivedWhenSent.get(id) ?? arrived)
        arrivedWhenSent.set(id, arrived)
      }
    }
    expect(arrivedWhenSent.size).toBeLessThan(MESSAGES)
    onArrival = () => {}
    const [status] = (await once(start(), 'exit')) as [number]
    expect(status).toBe(0)
    for (const [id, arrived] of arrivedWhenSent) expect(receiver.arrivals.get(id)).toBe(arrived)
    expect(receiver.webhooks.map(({ id }) => id)).toEqual(ids)
    const arrivals = [...receiver.arrivals.values()].reduce((sum, count) => sum + count, 0)
    expect(arrivals - MESSAGES).toBeLessThanOrEqual(duplicatesMax)
  })
})
