/** Values as TOML 1.0 writes them, on one line. */

/**
 * Formats text, numbers, booleans, lists and tables; keys of tables become snake_case, and those without a value are left
 * out.
 */
export function formatTomlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatTomlValue).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const pairs = Object.entries(value)
    .filter(([, inner]) => inner !== null && inner !== undefined)
    .map(
      ([key, inner]) =>
        `${key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)} = ${formatTomlValue(inner)}`,
    )
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
}
