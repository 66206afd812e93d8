/**
 * The Wilson score interval of a share.
 *
 * **Sources**: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927).
 */

/** The normal quantile of a two-sided interval of 95 %. */
const Z_95 = 1.959_963_984_540_054

/** Lower and upper end, 0 to 1. */
export interface ShareInterval {
  readonly low: number
  readonly high: number
}

/** At 95 %; 0 to 1 where nothing was tried. */
export function wilsonInterval(hits: number, total: number): ShareInterval {
  if (total === 0) return { low: 0, high: 1 }
  const share = hits / total
  const z2 = Z_95 * Z_95
  const center = (share + z2 / (2 * total)) / (1 + z2 / total)
  const half = (Z_95 * Math.sqrt((share * (1 - share)) / total + z2 / (4 * total * total))) / (1 + z2 / total)
  return { low: Math.max(0, center - half), high: Math.min(1, center + half) }
}
