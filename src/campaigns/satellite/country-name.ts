/** Names of countries, in English, from their codes. */
import type { SatelliteLocation } from '../../model/satellite-row.ts'

/** Codes that ISO leaves to their users have no name, but the library makes one up for two of them (XK is Kosovo). */
const USER_ASSIGNED = /^(?:AA|Q[M-Z]|X[A-JL-Z]|ZZ)$/
const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'code' })

/** @param code - Two letters; empty when nobody knows. */
export function locationOf(code: string): SatelliteLocation {
  if (!/^[A-Z]{2}$/.test(code)) return { countryName: null, countryCode: null }
  return { countryName: USER_ASSIGNED.test(code) ? code : (names.of(code) ?? code), countryCode: code }
}
