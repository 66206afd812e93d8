/** The canonical row as JSON: what `candor satellite import` writes. */
import type { SatelliteRow, SatelliteTime } from '../../model/satellite-row.ts'

/** One record with the names of docs/formats/satellite.md. */
export function formatRow(row: SatelliteRow): Readonly<Record<string, unknown>> {
  return {
    flavour: row.flavour,
    role: row.role,
    resolver: row.resolver,
    domain: row.domain,
    country_name: row.location?.countryName ?? null,
    country_code: row.location?.countryCode ?? null,
    passed_liveness: row.passedLiveness,
    in_control_group: row.inControlGroup,
    connect_error: row.connectError,
    anomaly: row.anomaly,
    confidence:
      row.confidence === null
        ? null
        : {
            average: row.confidence.average,
            matches: row.confidence.matches,
            untagged_controls: row.confidence.untaggedControls,
            untagged_response: row.confidence.untaggedResponse,
          },
    excluded: row.excluded,
    exclude_reasons: row.excludeReasons,
    start_time: formatMoment(row.startTime),
    end_time: formatMoment(row.endTime),
    trials: row.trials.map((trial) => ({
      purpose: trial.purpose,
      name: trial.name,
      has_type_a: trial.hasTypeA,
      rcode: trial.rcode,
      error: trial.error,
      start_time: formatMoment(trial.startTime),
      end_time: formatMoment(trial.endTime),
      answers: trial.answers.map(({ address, tags, matched, unknown }) => ({ address, tags, matched, unknown })),
      unknown: trial.unknown,
    })),
    unknown: row.unknown,
    spelling: row.spelling,
  }
}

/** The UTC form; the text as it came where it is no time. */
function formatMoment(time: SatelliteTime | null): string | null {
  return time === null ? null : (time.utc ?? time.text)
}
