/** AS and country of an address, from the address plan's tables, in the form of the records. */
import type { AddressFacts } from '../campaigns/exits/make-result.ts'
import type { AddressPlan } from '../core/address-plan.ts'
import { parseIp } from '../core/ip-address.ts'

/** @returns What the tables know; `null` where they do not, or where the text is no address. */
export function describeAddress(plan: AddressPlan, address: string): AddressFacts {
  const octets = parseIp(address)
  const found = octets === undefined ? undefined : plan.lookup(octets)
  if (found === undefined) return { as: null, country: null }
  const as = `AS${found.asn} ${found.asName}`.trimEnd()
  return { as, country: found.country === '' ? null : found.country }
}
