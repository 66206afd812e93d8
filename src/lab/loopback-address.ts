/** Which loopback address stands for an address of 198.18/15: the last two octets stay, so that logs can be read. */
const LOOPBACK: Readonly<Record<string, string>> = { '198.18.': '127.248.', '198.19.': '127.249.' }

/** @returns The loopback address. Addresses outside of 198.18/15 have none here: the function throws. */
export function toLoopbackAddress(address: string): string {
  const prefix = LOOPBACK[address.slice(0, 7)]
  if (prefix === undefined) throw new TypeError(`${address} has no loopback address`)
  return prefix + address.slice(7)
}
