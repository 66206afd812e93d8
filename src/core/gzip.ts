/**
 * gzip, with the streams that every platform has.
 *
 * Invariant: what is unpacked is bounded, whatever the octets claim.
 *
 * Sources: RFC 1952; WHATWG Compression Standard.
 */

/** Compresses octets into one member. */
export function gzip(octets: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return collect(new Blob([octets]).stream().pipeThrough(new CompressionStream('gzip')), Number.POSITIVE_INFINITY)
}

/** @returns The octets; `undefined` when they are no gzip, are cut off, or have more than `octetsMax` when unpacked. */
export async function gunzip(
  octets: Uint8Array<ArrayBuffer>,
  octetsMax: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await collect(new Blob([octets]).stream().pipeThrough(new DecompressionStream('gzip')), octetsMax)
  } catch (error) {
    // The standard's error for damaged input, and ours for too much of it; Node's own has a code of zlib.
    if (error instanceof TypeError || error instanceof RangeError || hasZlibCode(error)) return undefined
    throw error
  }
}

function hasZlibCode(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  octetsMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let length = 0
  for await (const chunk of stream) {
    length += chunk.length
    if (length > octetsMax) throw new RangeError('too many octets')
    chunks.push(chunk)
  }
  const all = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    all.set(chunk, offset)
    offset += chunk.length
  }
  return all
}
