/**
 * Datagrams in batches through the addon: one system call for up to 256 of them, and no object for any.
 *
 * The loop runs in the thread of the engine and waits there itself; now and then it lets the event loop of the thread run.
 * After the first answer it waits a little for others when few came last time: taking them together costs less, and the
 * kernel's stamps keep the times right.
 *
 * Invariant: a datagram is accepted at the time of its stamp, never before the sockets were last seen empty and never in
 * the future, whatever happens to the clock of the machine.
 */
import { RunError } from '../core/config-error.ts'
import { parseIp } from '../core/ip-address.ts'
import type { BulkBackend, BulkDrive, BulkResolver } from '../net/bulk-backend.ts'
import type { DgramBackendOptions } from './dgram-backend.ts'
import { loadNativeAddon, type NativeAddon, type NativeSockets } from './native-sockets.ts'

/** Source ports rotate over them. */
const SOCKETS = 8
const BUFFER_OCTETS = 4_194_304
const ENDPOINT_OCTETS = 18
const HEAD_FIELDS = 3
const RECEIVED_MAX = 128
/** Beginnings of datagrams, which are nearly always all of them, lie close together: so they stay in the caches. */
const STRIDE_OCTETS = 576
/** What of a datagram may be longer. */
const REST_OCTETS = 65_536 - STRIDE_OCTETS
/** How many times a burst is taken before the engine sends again. */
const BURSTS_MAX = 4
/** With so many at once a system call costs little for each. */
const ENOUGH_AT_ONCE = 48
const GATHER_MS = 0.1
/** How long the event loop of the thread waits at most. */
const TURN_MS = 10
const WAIT_MS_MAX = 50

/** What a backend is made of. */
export interface NativeBackendOptions extends DgramBackendOptions {
  /** Whether runs of equal length to one resolver go out in one piece, for the kernel to cut. */
  readonly segmented: boolean
}

/**
 * Opens the sockets. They are not connected, so that strangers are always heard.
 *
 * @returns `undefined` when there is no addon for this system.
 * @throws {RunError} When not one socket can be opened.
 */
export function createNativeBackend(options: NativeBackendOptions): BulkBackend | undefined {
  const addon = loadNativeAddon()
  if (addon === undefined) return undefined
  const sockets = addon.open(encodeEndpoints(options.resolvers), SOCKETS, BUFFER_OCTETS, options.segmented)
  if (typeof sockets === 'number')
    throw new RunError(`no socket can be opened (errno ${sockets})`, 'raise the limit of open files (`ulimit -n`)')
  return new NativeSocketLoop(addon, sockets, options)
}

class NativeSocketLoop implements BulkBackend {
  private readonly addon: NativeAddon
  private readonly sockets: NativeSockets
  private readonly options: NativeBackendOptions
  private readonly octets = new Uint8Array(RECEIVED_MAX * (STRIDE_OCTETS + REST_OCTETS))
  /** A long datagram, put together. */
  private readonly long = new Uint8Array(STRIDE_OCTETS + REST_OCTETS)
  private readonly heads = new Int32Array(RECEIVED_MAX * HEAD_FIELDS)
  private readonly agesMs = new Float64Array(RECEIVED_MAX)
  private isClosed = false
  private emptyAtMs: number

  constructor(addon: NativeAddon, sockets: NativeSockets, options: NativeBackendOptions) {
    this.addon = addon
    this.sockets = sockets
    this.options = options
    this.emptyAtMs = performance.now()
  }

  nowMs(): number {
    return performance.now()
  }

  send(count: number): number {
    return this.addon.send(this.sockets, this.options.batch.wire, this.options.batch.entries, count)
  }

  async run(drive: BulkDrive): Promise<void> {
    let turnAtMs = performance.now() + TURN_MS
    let received = 0
    while (!this.isClosed) {
      const nowMs = performance.now()
      const waitMs = drive.step(nowMs)
      if (waitMs < 0) return
      const gatherMs = waitMs > 0 && received < ENOUGH_AT_ONCE ? GATHER_MS : 0
      received = this.takeAll(drive, nowMs, Math.min(waitMs, WAIT_MS_MAX), gatherMs)
      if (nowMs < turnAtMs) continue
      await endOfTurn()
      turnAtMs = performance.now() + TURN_MS
    }
  }

  close(): void {
    this.isClosed = true
    this.addon.close(this.sockets)
  }

  /** Waits and takes what is there. @returns How many datagrams. */
  private takeAll(drive: BulkDrive, nowMs: number, waitMs: number, gatherMs: number): number {
    let total = 0
    let isEmpty = this.addon.wait(this.sockets, waitMs, gatherMs) === 0
    for (let burst = 0; burst < BURSTS_MAX && !isEmpty; burst++) {
      const count = this.addon.receive(this.sockets, this.octets, STRIDE_OCTETS, this.heads, this.agesMs)
      this.accept(drive, count)
      total += count
      isEmpty = count < RECEIVED_MAX
    }
    if (isEmpty) this.emptyAtMs = nowMs
    return total
  }

  private accept(drive: BulkDrive, count: number): void {
    const { octets, heads, agesMs, emptyAtMs } = this
    const nowMs = performance.now()
    for (let i = 0; i < count; i++) {
      const size = heads[i * HEAD_FIELDS] as number
      const resolver = heads[i * HEAD_FIELDS + 1] as number
      const ageMs = agesMs[i] as number
      const atMs = ageMs > 0 ? Math.max(nowMs - ageMs, emptyAtMs) : nowMs
      if (size <= STRIDE_OCTETS) drive.accept(octets, i * STRIDE_OCTETS, size, resolver, atMs)
      else drive.accept(this.putTogether(i, size), 0, size, resolver, atMs)
    }
  }

  private putTogether(place: number, sizeOctets: number): Uint8Array {
    const { octets, long } = this
    long.set(octets.subarray(place * STRIDE_OCTETS, (place + 1) * STRIDE_OCTETS))
    const from = RECEIVED_MAX * STRIDE_OCTETS + place * REST_OCTETS
    long.set(octets.subarray(from, from + sizeOctets - STRIDE_OCTETS), STRIDE_OCTETS)
    return long
  }
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

function encodeEndpoints(resolvers: readonly BulkResolver[]): Uint8Array {
  const octets = new Uint8Array(resolvers.length * ENDPOINT_OCTETS)
  for (const [number, { address, port }] of resolvers.entries()) {
    const ip = parseIp(address) ?? new Uint8Array(4)
    const at = number * ENDPOINT_OCTETS
    if (ip.length === 4) octets.set([0xff, 0xff], at + 10)
    octets.set(ip, at + 16 - ip.length)
    octets.set([port >> 8, port & 0xff], at + 16)
  }
  return octets
}
