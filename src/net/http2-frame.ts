/**
 * Frames of HTTP/2: header, settings, and the octets that a client begins with.
 *
 * Sources: RFC 9113 sections 3.4, 4.1, 6 and 7.
 */

/** Types of frames that mean something to a client. */
export const FRAME = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

/** Flags of frames. */
export const FLAG = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const

/** Settings that we send or heed. */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const

/** Error codes that we send or tell apart. */
export const HTTP2_ERROR = { none: 0, protocol: 1, refusedStream: 7, cancel: 8, enhanceYourCalm: 11 } as const

/** Octets of a frame's header. */
export const FRAME_HEAD_OCTETS = 9

/** The largest payload that anybody may send to us: what the protocol begins with. */
export const FRAME_OCTETS_MAX = 16_384

/** What every client sends first, before its settings. */
export const CLIENT_PREFACE: Uint8Array = new TextEncoder().encode('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** A frame's header. */
export interface FrameHead {
  readonly length: number
  readonly type: number
  readonly flags: number
  /** 0 for the connection itself. */
  readonly stream: number
}

/** Puts a frame into `octets`, beginning at `at`. @param payload - At most 16,384 octets, as the head says. */
export function putFrame(octets: Uint8Array, at: number, head: FrameHead, payload: Uint8Array): void {
  octets[at] = head.length >> 16
  octets[at + 1] = head.length >> 8
  octets[at + 2] = head.length
  octets[at + 3] = head.type
  octets[at + 4] = head.flags
  octets[at + 5] = head.stream >> 24
  octets[at + 6] = head.stream >> 16
  octets[at + 7] = head.stream >> 8
  octets[at + 8] = head.stream
  octets.set(payload, at + FRAME_HEAD_OCTETS)
}

/** Decodes the header of a frame: 9 octets. */
export function decodeFrameHead(octets: Uint8Array): FrameHead {
  return {
    length: decodeUint32(octets, 0) >>> 8,
    type: octets[3] ?? 0,
    flags: octets[4] ?? 0,
    stream: decodeUint32(octets, 5) & 0x7fff_ffff,
  }
}

/** Encodes settings as payload. */
export function encodeSettings(settings: readonly (readonly [id: number, value: number])[]): Uint8Array {
  return Uint8Array.from(settings.flatMap(([id, value]) => [id >> 8, id & 0xff, ...encodeUint32(value)]))
}

/** Decodes the payload of a SETTINGS frame. @returns `undefined` when its length is wrong. */
export function decodeSettings(payload: Uint8Array): readonly (readonly [number, number])[] | undefined {
  if (payload.length % 6 !== 0) return undefined
  return Array.from({ length: payload.length / 6 }, (_, index) => {
    const at = index * 6
    return [((payload[at] ?? 0) << 8) | (payload[at + 1] ?? 0), decodeUint32(payload, at + 2)] as const
  })
}

/** Four octets of a number. */
export function encodeUint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff)
}

/** The number in four octets; octets that are not there count as 0. */
export function decodeUint32(octets: Uint8Array, at: number): number {
  const high = ((octets[at] ?? 0) << 24) | ((octets[at + 1] ?? 0) << 16)
  return (high | ((octets[at + 2] ?? 0) << 8) | (octets[at + 3] ?? 0)) >>> 0
}
