/** Asks over TCP what an engine got truncated: pipelined, one connection for each resolver, and bounded. */
import type { Clock } from '../core/clock.ts'
import type { BulkResolver } from '../net/bulk-backend.ts'
import { createDo53Tcp, type Do53Tcp } from '../net/do53-tcp.ts'
import type { Net } from '../net/net.ts'

/** Connections and queries on them at the same time; what is more waits. */
const IN_FLIGHT_MAX = 256
/** A connection costs three ways to the resolver and back. */
const TIMEOUT_MS = 5_000
const IDLE_TIMEOUT_MS = 2_000

/** Asks over TCP. */
export interface BulkTcp {
  /** @returns The answer; `undefined` when there was none. Never rejects. */
  ask(resolver: number, query: Uint8Array): Promise<Uint8Array | undefined>
  close(): void
}

/** Prepares to ask. */
export function createBulkTcp(net: Net, clock: Clock, resolvers: readonly BulkResolver[]): BulkTcp {
  const servers = new Map<number, Do53Tcp>()
  const waiting: (() => void)[] = []
  let inFlight = 0
  const serverOf = (resolver: number): Do53Tcp | undefined => {
    const known = servers.get(resolver)
    const endpoint = resolvers[resolver]
    if (known !== undefined || endpoint === undefined) return known
    const server = createDo53Tcp(clock, {
      connect: (timeoutMs) => net.connectTcp(endpoint, timeoutMs),
      connectTimeoutMs: TIMEOUT_MS,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
    })
    servers.set(resolver, server)
    return server
  }
  return {
    ask: async (resolver, query) => {
      if (inFlight >= IN_FLIGHT_MAX) await new Promise<void>((resolve) => waiting.push(resolve))
      inFlight++
      const outcome = await serverOf(resolver)?.exchange({ query, timeoutMs: TIMEOUT_MS, lateWindowMs: 0 })
      inFlight--
      waiting.shift()?.()
      return outcome?.kind === 'responses' ? outcome.responses[0].octets : undefined
    },
    close: () => {
      for (const server of servers.values()) server.close()
    },
  }
}
