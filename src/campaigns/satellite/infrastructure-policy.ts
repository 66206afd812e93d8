/**
 * Which open resolvers belong to infrastructure, by the names of their addresses: only those are asked, since whoever runs a
 * resolver at home could be blamed for what it was asked.
 *
 * - `iris` (as published): the name begins with `ns` or `nameserver` and digits,
 * - `ns-or-dns-label`: some label is `ns` with or without digits, or has `dns` in it,
 * - `any-ptr`: any name.
 *
 * **Invariant**: pure. Names of access lines are refused whatever the policy.
 *
 * **Sources**: P. Pearce et al., "Global Measurement of DNS Manipulation", 2017, section 3.
 */
import { parseIp } from '../../core/ip-address.ts'

/** The policies. */
export type InfrastructurePolicy = 'iris' | 'ns-or-dns-label' | 'any-ptr'

const IRIS = /^(?:ns|nameserver)\d+/i
const NS_OR_DNS = /(?:^|\.)(?:ns\d*(?:[.-]|$)|[^.]*dns)/i
/** Words of access lines, as a part of a label of their own. */
const ACCESS_LINE =
  /(?:^|[.-])(?:dyn|dynamic|dynip|dhcp|pppoe?|x?[av]?dsl\d*|cust|customers?|client|static|pool|dial(?:up|in)?|cable|broadband|residential|home|mobile|lte|wireless|ftth|user)(?:[.\d-]|$)/i

/** @returns The first name that makes an address infrastructure; `undefined` when none does. */
export function findInfrastructureName(
  policy: InfrastructurePolicy,
  address: string,
  names: readonly string[],
): string | undefined {
  return names.find((name) => !isAccessLine(name, address) && isInfrastructureName(policy, name))
}

/** Whether a name fits a policy, the refusal of access lines left aside. */
export function isInfrastructureName(policy: InfrastructurePolicy, name: string): boolean {
  if (policy === 'any-ptr') return name !== ''
  return (policy === 'iris' ? IRIS : NS_OR_DNS).test(name.replace(/\.$/, ''))
}

/** Whether a name is that of somebody's line: it says so, or has the address in it. */
export function isAccessLine(name: string, address: string): boolean {
  return ACCESS_LINE.test(name) || hasAddressInside(name.toLowerCase(), address)
}

/** Three of four numbers in either order, with or without zeros, or the four of them in hexadecimal. */
function hasAddressInside(name: string, address: string): boolean {
  const octets = parseIp(address)
  if (octets?.length !== 4) return false
  const numbers = [...octets].map(String)
  const orders = [numbers, numbers.toReversed()]
  const runs = orders.flatMap((order) => [order.slice(0, 3), order.slice(1)])
  const hasRun = runs.some((run) => new RegExp(`(?:^|\\D)0*${run.join('\\D{1,3}0*')}(?:\\D|$)`).test(name))
  if (hasRun) return true
  const padded = orders.some((order) => name.includes(order.map((number) => number.padStart(3, '0')).join('')))
  return padded || name.includes([...octets].map((octet) => octet.toString(16).padStart(2, '0')).join(''))
}
