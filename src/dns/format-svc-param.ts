/**
 * Parameters of service bindings in presentation form.
 *
 * A value that does not fit its key's format is printed as octets (`keyNNNNN="…"` form, which is always allowed).
 *
 * **Sources:** RFC 9460 sections 2.1, 7 and appendix A; RFC 9461 (`dohpath`), RFC 9540 (`ohttp`).
 */
import { formatIp } from '../core/ip-address.ts'
import { escapeOctets, formatBase64 } from './octets-text.ts'
import { WireReader } from './wire-reader.ts'

const KEYS = ['mandatory', 'alpn', 'no-default-alpn', 'port', 'ipv4hint', 'ech', 'ipv6hint', 'dohpath', 'ohttp']

/** Formats a parameter as `alpn="h2,h3"`, `port=8443`, `no-default-alpn` or `key65280="…"`. */
export function formatSvcParam(param: { readonly key: number; readonly octets: Uint8Array }): string {
  const key = formatKey(param.key)
  if (param.octets.length === 0) return key
  const reader = new WireReader(param.octets)
  const value = formatKnownValue(key, reader)
  if (value !== undefined && reader.failure === undefined && reader.remaining() === 0) return `${key}=${value}`
  return `key${param.key}="${escapeOctets(param.octets)}"`
}

function formatKey(key: number): string {
  return KEYS[key] ?? `key${key}`
}

/** @returns `undefined` where the key has no format of its own. */
function formatKnownValue(key: string, reader: WireReader): string | undefined {
  switch (key) {
    case 'mandatory':
      return list(reader, () => formatKey(reader.uint16()))
    case 'alpn':
      return `"${list(reader, () => escapeListItem(reader.takeCounted()))}"`
    case 'port':
      return String(reader.uint16())
    case 'ipv4hint':
      return list(reader, () => formatIp(reader.take(4)))
    case 'ipv6hint':
      return list(reader, () => formatIp(reader.take(16)))
    case 'ech':
      return formatBase64(reader.takeRest())
    case 'dohpath':
      return `"${escapeOctets(reader.takeRest())}"`
    default:
      return undefined
  }
}

function list(reader: WireReader, readItem: () => string): string {
  const items: string[] = []
  while (reader.remaining() > 0) items.push(readItem())
  return items.join(',')
}

/** RFC 9460 appendix A.1: commas and backslashes are escaped in the item, then once more in the character-string. */
function escapeListItem(octets: Uint8Array): string {
  return escapeOctets(
    Uint8Array.from([...octets].flatMap((octet) => (octet === 0x2c || octet === 0x5c ? [0x5c, octet] : [octet]))),
  )
}
