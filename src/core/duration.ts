/** Durations as people write them. */

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, '': 1000, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 }

/** `500ms`, `2s`, `10m`, `6h`, or seconds without a unit. @returns Milliseconds; NaN when it is no duration. */
export function parseDuration(value: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|min|h)?$/.exec(value)
  return match === null ? Number.NaN : Number(match[1]) * (MS_PER_UNIT[match[2] ?? ''] ?? Number.NaN)
}
