/** Queries and answers as octets, for peers that must misbehave below the level of messages. */

/** A query for `name`, type A, with recursion desired. */
export function queryOctets(id: number, name = 'name.example'): Uint8Array {
  const labels = [...new TextEncoder().encode(`.${name}`)].map((octet, at) =>
    octet === 0x2e ? (name.slice(at).split('.')[0]?.length ?? 0) : octet,
  )
  return Uint8Array.of(id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1)
}

/** A response to `query` with one A record, or truncated without any. */
export function responseOctets(
  query: Uint8Array,
  lastOctet: number,
  options: { truncated?: boolean } = {},
): Uint8Array {
  const octets = Uint8Array.from([
    ...query,
    ...(options.truncated === true ? [] : [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, lastOctet]),
  ])
  octets[2] = options.truncated === true ? 0x83 : 0x81
  octets[3] = 0x80
  octets[7] = options.truncated === true ? 0 : 1
  return octets
}

/** `octets` with one of them replaced. */
export function withOctet(octets: Uint8Array, at: number, value: number): Uint8Array {
  return Uint8Array.from(octets, (octet, index) => (index === at ? value : octet))
}

/** A message behind its length, as TCP carries it. */
export function framed(message: Uint8Array): Uint8Array {
  return Uint8Array.of(message.length >> 8, message.length & 0xff, ...message)
}
