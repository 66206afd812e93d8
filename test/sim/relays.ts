/** Relays and networks for tests that need no Tor. */
import type { NetworkView, Relay } from '../../src/tor/tor-session.ts'

/** A running, measured guard and exit; `index` makes its fingerprint, nickname and /16. */
export function simRelay(index: number, change: Partial<Relay> = {}): Relay {
  const hex = index.toString(16).toUpperCase().padStart(40, '0')
  return {
    fingerprint: hex,
    nickname: `relay${index}`,
    address: `198.${index % 200}.0.1`,
    orPort: 9001,
    orAddresses: [`198.${index % 200}.0.1:9001`],
    flags: new Set(['Running', 'Valid', 'Fast', 'Stable', 'Guard', 'Exit']),
    bandwidth: 1000,
    measured: true,
    policySummary: 'accept 53,80,443',
    exitsToIpv4: true,
    exitsToIpv6: false,
    family: [],
    contact: null,
    platform: null,
    ...change,
  }
}

/** A view of the network with these relays. */
/** A network of these relays. */
export function simNetwork(relays: readonly Relay[]): NetworkView {
  return {
    validAfter: '2026-01-31T12:00:00.000Z',
    relays: new Map(relays.map((relay) => [relay.fingerprint, relay])),
    params: new Map(),
  }
}
