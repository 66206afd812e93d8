/**
 * The addon that moves datagrams in batches: its functions, and how it is found and loaded.
 *
 * Invariant: an addon that is absent or does not fit this system is no error; `undefined` says so.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Open sockets, in C. */
export interface NativeSockets {
  /** Nothing in JavaScript looks into it. */
  readonly __brand: 'native-sockets'
}

/** The functions of `native/bulk-sockets.c`. All throw on arguments that do not fit each other. */
export interface NativeAddon {
  /** {@link INTERFACE_VERSION} of the source that it was built from. */
  readonly interfaceVersion: number
  /**
   * @param resolvers - 18 octets each: IPv6 or IPv4-mapped address and port, in network order.
   * @returns The sockets, at least one and at most `socketsMax`; or the errno that kept the first from being opened.
   */
  open(resolvers: Uint8Array, socketsMax: number, bufferOctets: number, isSegmented: boolean): NativeSockets | number
  /** @returns How many of the first `count` entries went out; 0 when the system takes none now. */
  send(sockets: NativeSockets, wire: Uint8Array, entries: Int32Array, count: number): number
  /** @returns How many sockets have something, `gatherMs` after the first had, or `timeoutMs` (at most 100) passed. */
  wait(sockets: NativeSockets, timeoutMs: number, gatherMs: number): number
  /**
   * Takes what the sockets had at the last wait.
   *
   * @param octets - `strideOctets` for each datagram that all three arrays have room for; behind those equal parts of the
   *   rest, for what of each is longer.
   * @param heads - Three numbers for each datagram: octets, number of the resolver or −1, 1 when it was cut off.
   * @param agesMs - For how long each has been here; −1 when that is not known.
   * @returns How many there are.
   */
  receive(
    sockets: NativeSockets,
    octets: Uint8Array,
    strideOctets: number,
    heads: Int32Array,
    agesMs: Float64Array,
  ): number
  /** Writes counters, in the order of {@link NATIVE_COUNTERS}. */
  stats(sockets: NativeSockets, counters: Float64Array): void
  /** Closes the sockets. They receive nothing more, and sending throws. */
  close(sockets: NativeSockets): void
}

/** What the addon counts. */
export const NATIVE_COUNTERS = [
  'sockets',
  'send_calls',
  'sent',
  'sent_messages',
  'send_errors',
  'receive_calls',
  'received',
  'cut_off',
  'last_errno',
] as const

/** What this file speaks. One built from an older source would read arrays of another layout. */
const INTERFACE_VERSION = 2

const HOME = join(import.meta.dirname, '../..')
/** What was built here comes before what the package carries. */
const PLACES = ['build/native', `prebuilds/${process.platform}-${process.arch}`]

/** Loads the addon. @returns `undefined` when there is none for this system. */
export function loadNativeAddon(): NativeAddon | undefined {
  for (const place of PLACES) {
    const path = join(HOME, place, 'bulk-sockets.node')
    if (!existsSync(path)) continue
    const loaded: { exports: Partial<NativeAddon> } = { exports: {} }
    try {
      process.dlopen(loaded, path)
    } catch {
      // Built for another C library: whoever asks is told that there is none.
      continue
    }
    if (loaded.exports.interfaceVersion === INTERFACE_VERSION) return loaded.exports as NativeAddon
  }
  return undefined
}
