/** Lists of numbers as octets: four each, lowest first. */

const OCTETS = 4

/** @param numbers - Each 0 to 2³² − 1. */
export function encodeNumbers(numbers: readonly number[]): Uint8Array {
  const octets = new Uint8Array(numbers.length * OCTETS)
  const view = new DataView(octets.buffer)
  for (const [index, number] of numbers.entries()) view.setUint32(index * OCTETS, number, true)
  return octets
}

/** @returns The numbers; octets at the end that make no whole one are left out. */
export function decodeNumbers(octets: Uint8Array): readonly number[] {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
  return Array.from({ length: Math.floor(octets.length / OCTETS) }, (_, index) => view.getUint32(index * OCTETS, true))
}
