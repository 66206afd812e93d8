/**
 * What to do about an incident: one sentence that follows from what changed and from who confirms it.
 *
 * **Invariant**: pure.
 */
import type { MonitorType } from '../model/monitor-name.ts'
import type { MonitorIncident } from '../model/monitor-state.ts'

/** Gives the sentence, without full stop. */
export function recommendFor({ subject, resolver, corroboration, units }: MonitorIncident, type: MonitorType): string {
  const { authoritative, tls, parentNs, parentDs } = corroboration
  if (subject === 'parent_ns' || (parentNs === 'changed' && subject !== 'parent_ds'))
    return 'compare the name servers with the registrar: whoever changed them there decides every answer of the zone'
  if (subject === 'parent_ds' || parentDs === 'changed' || parentDs === 'removed')
    return 'compare the DS with the registrar and with the key-signing key of the zone: without it nothing is validated'
  if (subject === 'serials') return 'check zone transfers: some server has an older zone than the others'
  if (subject === 'unavailable') {
    return corroboration.dnssec === 'bogus'
      ? 'check signatures, keys and DS of the zone: resolvers that validate refuse it'
      : 'ask the authoritative servers for the name, and check that they can be reached from elsewhere'
  }
  if (subject === 'diverges')
    return `ask ${resolver ?? 'the resolver'} again from another network: the others and the zone say something else`
  if (subject === 'K5') {
    return authoritative === 'none'
      ? 'tell the operators of the resolvers: the authoritative servers still have the name'
      : 'check the zone and its delegation: the authoritative servers do not have the name either'
  }
  if (authoritative === 'none')
    return 'tell the operators of the resolvers: the authoritative servers do not give this answer'
  if (subject === 'K4')
    return 'ask the authoritative servers for the name, and correct the record: nobody can reach such an address'
  if (type !== 'A' && type !== 'AAAA')
    return `compare the new ${type} record with the zone file, and with whoever may change it`
  const [address = ''] = Object.keys(units)
  if (tls === 'valid')
    return `ask the owner whether the name moved; the server at ${address} has a valid certificate for it`
  return tls === 'invalid'
    ? `treat ${address} as hostile until the registrar and the zone explain it: its certificate is not for the name`
    : `check who answers at ${address}, and compare the change with the registrar and the zone`
}
