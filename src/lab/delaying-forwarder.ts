/**
 * A TCP forwarder that holds back what goes to the client: a long way to a relay, on a machine that has none.
 *
 * Invariant: keeps order and loses nothing; holds at most {@link HELD_OCTETS_MAX} octets of a connection.
 */
import type { Clock } from '../core/clock.ts'
import { sleep } from '../core/clock.ts'
import { type Connection, type Endpoint, type Listener, type Net, NetError } from '../net/net.ts'

/** More than a circuit of a measurement ever has in flight. */
const HELD_OCTETS_MAX = 1024 * 1024
const CONNECT_TIMEOUT_MS = 5_000

/** A running forwarder. */
export interface DelayingForwarder {
  readonly endpoint: Endpoint
  close(): Promise<void>
}

/**
 * Forwards connections from `listen` to `target`; each octet of the way back waits for `delayMs` milliseconds, so that
 * every round trip takes that much longer.
 *
 * @throws {NetError} When it cannot listen.
 */
export async function startDelayingForwarder(
  { net, clock }: { readonly net: Net; readonly clock: Clock },
  options: { readonly listen: Endpoint; readonly target: Endpoint; readonly delayMs: number },
): Promise<DelayingForwarder> {
  const open = new Set<Connection>()
  const listener: Listener = await net.listenTcp(options.listen, (client) => {
    void forward(client)
  })
  const forward = async (client: Connection): Promise<void> => {
    open.add(client)
    try {
      const server = await net.connectTcp(options.target, CONNECT_TIMEOUT_MS)
      open.add(server)
      await Promise.all([copyAtOnce(client, server), copyLate(clock, server, client, options.delayMs)])
      open.delete(server)
      server.close()
    } catch (error) {
      // Either side went away: that is what connections do.
      if (!(error instanceof NetError)) throw error
    } finally {
      open.delete(client)
      client.close()
    }
  }
  return {
    endpoint: listener.local,
    close: async () => {
      await listener.close()
      for (const connection of open) connection.close()
    },
  }
}

async function copyAtOnce(from: Connection, to: Connection): Promise<void> {
  try {
    for (let octets = await from.read(); octets !== undefined; octets = await from.read()) await to.write(octets)
  } finally {
    to.close()
  }
}

async function copyLate(clock: Clock, from: Connection, to: Connection, delayMs: number): Promise<void> {
  const line = createHeldLine()
  const drain = async (): Promise<void> => {
    for (let next = await line.shift(); next !== undefined; next = await line.shift()) {
      await sleep(clock, Math.max(0, next.dueAtMs - clock.nowMs()))
      await to.write(next.octets)
    }
  }
  const draining = drain()
  // A failed write ends the reading too; the failure itself surfaces below.
  draining.catch(() => {
    from.close()
  })
  try {
    for (let octets = await from.read(); octets !== undefined; octets = await from.read()) {
      line.push({ octets, dueAtMs: clock.nowMs() + delayMs })
      while (line.sizeOctets() > HELD_OCTETS_MAX) await sleep(clock, delayMs / 4)
    }
  } finally {
    line.end()
  }
  await draining
  to.close()
}

interface Held {
  readonly octets: Uint8Array
  readonly dueAtMs: number
}

/** What was received and is not yet due; `undefined` marks the end. */
function createHeldLine(): {
  push(held: Held): void
  end(): void
  sizeOctets(): number
  shift(): Promise<Held | undefined>
} {
  const held: (Held | undefined)[] = []
  let wake = (): void => {}
  const add = (it: Held | undefined): void => {
    held.push(it)
    wake()
  }
  return {
    push: add,
    end: () => {
      add(undefined)
    },
    sizeOctets: () => held.reduce((sum, it) => sum + (it?.octets.length ?? 0), 0),
    shift: async () => {
      while (held.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return held.shift()
    },
  }
}
