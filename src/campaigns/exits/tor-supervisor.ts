/**
 * Keeps a scan supplied with a working Tor: when the process dies, a new one is started, a few times.
 *
 * Invariant: relays that were in flight when Tor died are asked again, never judged by what they got.
 */
import type { Clock } from '../../core/clock.ts'
import { RunError } from '../../core/config-error.ts'
import type { Log } from '../../core/log.ts'
import type { Random } from '../../core/random.ts'
import type { Net } from '../../net/net.ts'
import type { TorSession } from '../../tor/tor-session.ts'
import { openDnsPort, type DnsPortClient } from '../../vantages/dns-port.ts'
import { createTorExitVantage } from '../../vantages/tor-exit.ts'
import type { TorHandle } from './scan-context.ts'

/** A Tor that dies more often than this has a reason that restarting does not mend. */
const RESTARTS_MAX = 3

/** Starts (or joins) a Tor. @throws {RunError} When that fails. */
export type OpenTor = () => Promise<TorSession>

/** The Tor of a scan. */
export interface TorSupervisor extends AsyncDisposable {
  /** The Tor of now; dead between its end and {@link recover}. */
  current(): TorHandle
  /** How often Tor was started again. */
  restarts(): number
  /**
   * Makes sure that the Tor of now is another one than `dead`.
   *
   * @returns `false` when Tor cannot be had any more.
   */
  recover(dead: TorHandle): Promise<boolean>
}

interface Capabilities {
  readonly net: Net
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

interface OpenHandle extends TorHandle {
  readonly dnsPort: DnsPortClient
}

/** Opens the first Tor. @throws {RunError} As `open` does. */
export async function superviseTor(open: OpenTor, capabilities: Capabilities): Promise<TorSupervisor> {
  const { net, clock, random, log } = capabilities
  const openHandle = async (): Promise<OpenHandle> => {
    const session = await open()
    const dnsPort = await openDnsPort(net, clock, random, session.dnsPort)
    return { session, dnsPort, vantage: createTorExitVantage(session, dnsPort, clock) }
  }
  const closeHandle = async (handle: OpenHandle): Promise<void> => {
    handle.dnsPort.close()
    await handle.session[Symbol.asyncDispose]()
  }
  let handle = await openHandle()
  let restarts = 0
  let recovering: Promise<boolean> | undefined
  const restart = async (): Promise<boolean> => {
    if (restarts >= RESTARTS_MAX || !handle.session.owned) return false
    restarts++
    log.warn('exits.tor.restarted', { restarts })
    try {
      await closeHandle(handle)
      handle = await openHandle()
      return true
    } catch (error) {
      if (!(error instanceof RunError)) throw error
      log.error('exits.tor.lost', { reason: error.message })
      return false
    }
  }
  return {
    current: () => handle,
    restarts: () => restarts,
    recover: (dead) => {
      if (dead.session !== handle.session) return Promise.resolve(true)
      recovering ??= restart().finally(() => {
        recovering = undefined
      })
      return recovering
    },
    [Symbol.asyncDispose]: () => closeHandle(handle),
  }
}
