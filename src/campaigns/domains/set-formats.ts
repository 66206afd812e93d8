/**
 * Address sets and names as ipset, dnsmasq and SmartDNS read them; for nftables see `format-nft-sets.ts`.
 *
 * Invariant: a set is filled beside the old one and swapped as a whole: nobody ever matches half a set.
 *
 * Sources: ipset(8) (`swap`); dnsmasq(8) (`--nftset`).
 */
import type { DomainSets } from './domain-sets.ts'
import type { NftSets } from './format-nft-sets.ts'

const NEW_AT = 27
/** Always the same: ipset refuses a set whose shape is another one than it had. */
const ELEMENTS_MAX = 1_048_576

/** Replaces the durable sets with `ipset restore`: each is filled beside the old one and swapped. */
export function formatIpsetSets({ v4, v6 }: Pick<DomainSets, 'v4' | 'v6'>, names: NftSets): string {
  const one = (name: string, family: string, addresses: readonly string[]): readonly string[] => {
    // ipset allows 31 characters.
    const fresh = `${name.slice(0, NEW_AT)}_new`
    const shape = `hash:ip family ${family} maxelem ${ELEMENTS_MAX}`
    return [
      `create ${name} ${shape} -exist`,
      `create ${fresh} ${shape} -exist`,
      `flush ${fresh}`,
      ...addresses.map((address) => `add ${fresh} ${address} -exist`),
      `swap ${fresh} ${name}`,
      `destroy ${fresh}`,
    ]
  }
  return toText([...one(names.v4, 'inet', v4), ...one(names.v6, 'inet6', v6)])
}

/** Configuration for dnsmasq: it adds what it answers for the wildcards to the run-time sets itself. */
export function formatDnsmasqSets(wildcards: readonly string[], names: NftSets): string {
  const table = names.table.trim().replaceAll(/\s+/g, '#')
  return toText(wildcards.map((name) => `nftset=/${name}/4#${table}#${names.rtV4},6#${table}#${names.rtV6}`))
}

/** A domain set for SmartDNS: one name a line, each of which covers everything below it. */
export function formatSmartdnsSet(wildcards: readonly string[]): string {
  return toText(wildcards)
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
