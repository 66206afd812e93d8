/**
 * The network as Tor sees it: one consensus joined with the descriptors that Tor has.
 *
 * Refreshed after NEWCONSENSUS and NEWDESC. Those come in bursts of hundreds, so they are gathered: one refresh when they
 * have been quiet for a moment, at the latest after a bound, and never two at once.
 *
 * Sources: Tor control-spec section 3.9 (GETINFO), 4.1.7 (NEWDESC), 4.1.15 (NEWCONSENSUS).
 */
import { sleep, type Clock, type Timer } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import type { Log } from '../core/log.ts'
import { createConsensusReader, type Consensus, type ConsensusEntry } from './consensus.ts'
import { ControlError, goneReason, type ControlClient } from './control-client.ts'
import { createDescriptorReader, type Descriptor } from './descriptor.ts'
import { portListAccepts } from './exit-policy.ts'
import { createMicrodescriptorReader } from './microdescriptor.ts'
import type { NetworkView, Relay } from './tor-session.ts'

/** Both documents of the public network are about 30 MiB. */
const DOCUMENT_TIMEOUT_MS = 60_000
/** After this much quiet a burst of events is over. */
const QUIET_MS = 2_000
/** A burst that does not end is cut here. */
const BURST_MS_MAX = 30_000
/** Reading takes at most this part of the time, however often something changes. */
const DUTY = 0.1
/** How often Tor is asked for descriptors that are still missing, where reading them is cheap. */
const MISSING_POLL_MS = 250
/** When no more descriptors have come for so long, the rest is not to be had. */
const MISSING_STILL_MS = 10_000

/** A view that keeps itself fresh. */
export interface NetworkWatch {
  current(): NetworkView
  /** Relays in the consensus whose descriptor Tor does not have (yet). */
  missingDescriptors(): number
  /** Reads both documents again. @returns How long that took, in milliseconds. @throws {ControlError} @throws {RunError} */
  refresh(): Promise<number>
  /** Forgets pending refreshes. */
  stop(): void
}

interface Reading {
  readonly view: NetworkView
  readonly missing: number
}

/** Reads the network once and then after each change; the caller has subscribed to NEWCONSENSUS and NEWDESC. */
export async function watchNetwork(client: ControlClient, clock: Clock, log: Log): Promise<NetworkWatch> {
  let reading = await readNetwork(client)
  let stopped = false
  let running: Promise<void> | undefined
  let burstStartedAtMs: number | undefined
  let timer: Timer | undefined
  let lastReadMs = 0

  const refresh = async (): Promise<number> => {
    const startedAtMs = clock.nowMs()
    const next = await readNetwork(client)
    if (!stopped) reading = next
    lastReadMs = clock.nowMs() - startedAtMs
    return lastReadMs
  }
  const runOnce = (): void => {
    burstStartedAtMs = undefined
    if (running !== undefined) {
      schedule()
      return
    }
    running = refresh()
      .then(() => {})
      .catch((error: unknown) => {
        if (!(error instanceof ControlError) && !(error instanceof RunError)) throw error
        log.warn('tor.network.refresh_failed', { error: error.message })
      })
      .finally(() => {
        running = undefined
      })
  }
  const schedule = (): void => {
    if (stopped || client.gone.aborted) return
    const nowMs = clock.nowMs()
    burstStartedAtMs ??= nowMs
    timer?.cancel()
    const quietMs = Math.max(QUIET_MS, lastReadMs / DUTY)
    timer = clock.setTimer(Math.max(0, Math.min(quietMs, burstStartedAtMs + BURST_MS_MAX - nowMs)), runOnce)
  }
  client.onEvent('NEWCONSENSUS', schedule)
  client.onEvent('NEWDESC', schedule)
  client.gone.addEventListener('abort', () => {
    timer?.cancel()
    if (!stopped) log.warn('tor.network.watch_ended', { error: goneReason(client.gone).message })
  })
  return {
    current: () => reading.view,
    missingDescriptors: () => reading.missing,
    refresh,
    stop: () => {
      stopped = true
      timer?.cancel()
    },
  }
}

/** Waits until Tor has (nearly) all descriptors, or gets no more of them. Ends after `timeoutMs`. @throws {ControlError} */
export async function waitForDescriptors(watch: NetworkWatch, clock: Clock, timeoutMs: number): Promise<void> {
  const deadlineMs = clock.nowMs() + timeoutMs
  let [missing, sinceMs] = [watch.missingDescriptors(), clock.nowMs()]
  let pauseMs = MISSING_POLL_MS
  while (missing > watch.current().relays.size / 200 && clock.nowMs() + pauseMs < deadlineMs) {
    await sleep(clock, pauseMs)
    pauseMs = Math.max(MISSING_POLL_MS, (await watch.refresh()) / DUTY)
    const nowMissing = watch.missingDescriptors()
    if (nowMissing !== missing) [missing, sinceMs] = [nowMissing, clock.nowMs()]
    else if (clock.nowMs() - sinceMs > MISSING_STILL_MS) return
  }
}

async function readNetwork(client: ControlClient): Promise<Reading> {
  const full = await readConsensus(client, 'dir/status-vote/current/consensus')
  if (full !== undefined) {
    const reader = createDescriptorReader()
    await client.expectOk('GETINFO desc/all-recent', {
      timeoutMs: DOCUMENT_TIMEOUT_MS,
      onData: (line) => {
        reader.take(line)
      },
    })
    const descriptors = reader.finish()
    return join(full, (entry) => descriptors.get(entry.fingerprint))
  }
  const micro = await readConsensus(client, 'dir/status-vote/current/consensus-microdesc')
  if (micro !== undefined) {
    const reader = createMicrodescriptorReader()
    await client.expectOk('GETINFO md/all', {
      timeoutMs: DOCUMENT_TIMEOUT_MS,
      onData: (line) => {
        reader.take(line)
      },
    })
    const descriptors = await reader.finish()
    return join(micro, (entry) => descriptors.get(entry.microdescriptorDigest ?? ''))
  }
  throw new RunError('Tor has no consensus yet', 'wait until it has bootstrapped')
}

/** @returns `undefined` when Tor does not have this flavour. @throws {ControlError} */
async function readConsensus(client: ControlClient, key: string): Promise<Consensus | undefined> {
  const reader = createConsensusReader()
  const reply = await client.command(`GETINFO ${key}`, {
    timeoutMs: DOCUMENT_TIMEOUT_MS,
    onData: (line) => {
      reader.take(line)
    },
  })
  if (reply.status !== 250) return undefined
  const consensus = reader.finish()
  return consensus.entries.size > 0 ? consensus : undefined
}

function join(consensus: Consensus, descriptorOf: (entry: ConsensusEntry) => Descriptor | undefined): Reading {
  const relays = new Map<string, Relay>()
  let missing = 0
  for (const entry of consensus.entries.values()) {
    const descriptor = descriptorOf(entry)
    if (descriptor === undefined && entry.flags.has('Running')) missing++
    const address = `${entry.address}:${entry.orPort}`
    relays.set(entry.fingerprint, {
      fingerprint: entry.fingerprint,
      nickname: entry.nickname,
      address: entry.address,
      orPort: entry.orPort,
      orAddresses: [address, ...entry.moreAddresses],
      flags: entry.flags,
      bandwidth: entry.bandwidth,
      measured: entry.measured,
      policySummary: entry.policySummary,
      exitsToIpv4: descriptor?.exitsToIpv4 ?? portListAccepts(entry.policySummary ?? ''),
      exitsToIpv6: descriptor?.exitsToIpv6 ?? false,
      family: descriptor?.family ?? [],
      contact: descriptor?.contact ?? null,
      platform: descriptor?.platform ?? null,
    })
  }
  return { view: { validAfter: consensus.validAfter, relays, params: consensus.params }, missing }
}
