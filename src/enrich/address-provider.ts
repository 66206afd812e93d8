/**
 * Services that know addresses, over HTTP: ip-api.com (without TLS on its free plan, 45 questions a minute) and ipapi.co.
 * Both learn which addresses somebody watches; therefore nobody is asked unless the configuration says so.
 *
 * Invariant: an answer of another shape is none. No more questions leave in a minute than the configuration allows; those
 * beyond get no answer. After HTTP 429 a minute passes without any.
 *
 * Sources: https://ip-api.com/docs/api:json, https://ipapi.co/api/
 */
import type { Clock } from '../core/clock.ts'
import type { AddressProvider } from '../model/monitor-name.ts'
import type { HttpClient } from '../net/http-client.ts'

const MINUTE_MS = 60_000
const BODY_OCTETS_MAX = 65_536

/** What a service says; `null` for what it does not know. */
export interface ProvidedAddress {
  readonly country: string | null
  readonly region: string | null
  readonly asn: number | null
  readonly org: string | null
}

/** Asks services, the first that answers decides. */
export interface AddressProviders {
  /** @returns `undefined` when none knows. */
  find(address: string): Promise<ProvidedAddress | undefined>
}

/** Prepares to ask. */
export function createAddressProviders(
  http: HttpClient,
  clock: Clock,
  configured: readonly AddressProvider[],
  timeoutMs: number,
): AddressProviders {
  const windows = new Map<AddressProvider, { fromMs: number; count: number }>()
  const mayAsk = (provider: AddressProvider): boolean => {
    const nowMs = clock.nowMs()
    const before = windows.get(provider)
    const window = before === undefined || nowMs - before.fromMs >= MINUTE_MS ? { fromMs: nowMs, count: 0 } : before
    windows.set(provider, window)
    window.count += 1
    return window.count <= provider.perMinute
  }
  return {
    find: async (address) => {
      for (const provider of configured) {
        if (!mayAsk(provider)) continue
        const path =
          provider.kind === 'ip-api.com' ? `${address}?fields=status,countryCode,regionName,as,org` : `${address}/json/`
        const url = `${provider.url}${path}`
        const reply = await http.request({ method: 'GET', url, timeoutMs, bodyOctetsMax: BODY_OCTETS_MAX })
        if (reply.kind === 'failure') continue
        if (reply.status === 429) windows.set(provider, { fromMs: clock.nowMs(), count: provider.perMinute })
        const found = reply.status === 200 ? readReply(provider.kind, reply.body) : undefined
        if (found !== undefined) return found
      }
      return undefined
    },
  }
}

function readReply(kind: AddressProvider['kind'], body: Uint8Array): ProvidedAddress | undefined {
  let fields: Readonly<Record<string, unknown>>
  try {
    fields = (JSON.parse(new TextDecoder().decode(body)) ?? {}) as typeof fields
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  const isShort = kind === 'ip-api.com'
  if (isShort ? fields['status'] !== 'success' : fields['error'] === true) return undefined
  const text = (name: string): string | null => {
    const value = fields[name]
    return typeof value === 'string' && value !== '' ? value.slice(0, 200) : null
  }
  const as = /^AS(\d{1,10})\b/.exec(text(isShort ? 'as' : 'asn') ?? '')?.[1]
  const country = text(isShort ? 'countryCode' : 'country_code')
  if (country === null && as === undefined) return undefined
  return {
    country,
    region: text(isShort ? 'regionName' : 'region'),
    asn: as === undefined ? null : Number(as),
    org: text('org'),
  }
}
