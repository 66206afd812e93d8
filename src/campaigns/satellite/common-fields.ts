/** Fields that every v2 flavour writes alike. */
import type {
  JsonFields,
  SatelliteConfidence,
  SatelliteLocation,
  SatelliteTags,
  SatelliteTime,
} from '../../model/satellite-row.ts'

/** Takes note of a field that the source did not have. */
export type NoteMissing = (field: string) => void

/** A value, or the empty form of its field. */
export function writeValue<Value>(value: Value | null, empty: Value, field: string, note: NoteMissing): Value {
  if (value !== null) return value
  note(field)
  return empty
}

/** A time as it came, or the empty text. */
export function writeTime(time: SatelliteTime | null, field: string, note: NoteMissing): string {
  if (time === null) note(field)
  return time?.text ?? ''
}

/** `{country_name, country_code}`. */
export function writeLocation(location: SatelliteLocation | null, note: NoteMissing): JsonFields {
  if (location === null) note('location')
  else if (location.countryCode === null) note('location.country_code')
  return { country_name: location?.countryName ?? '', country_code: location?.countryCode ?? '' }
}

/** `{average, matches, untagged_controls, untagged_response}`. */
export function writeConfidence(confidence: SatelliteConfidence | null, note: NoteMissing): JsonFields {
  if (confidence === null) note('confidence')
  return {
    average: confidence?.average ?? 0,
    matches: confidence?.matches ?? null,
    untagged_controls: confidence?.untaggedControls ?? false,
    untagged_response: confidence?.untaggedResponse ?? false,
  }
}

/** `{http, cert, asnum, asname}` with the empty forms of v2.2. */
export function writeEmptyableTags(tags: SatelliteTags | null): JsonFields {
  return { http: tags?.http ?? '', cert: tags?.cert ?? '', asnum: tags?.asnum ?? 0, asname: tags?.asname ?? '' }
}
