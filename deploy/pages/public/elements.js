/** Small things that every part of the page uses. */

const SVG = 'http://www.w3.org/2000/svg'

export const byId = (id) => document.getElementById(id)
export const count = (number) => Number(number).toLocaleString('en')
export const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`

/** Makes an element; attributes by name, children as nodes or text. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? '' : value)
  }
  element.append(...children)
  return element
}

export function makeSvg(name, attributes, content) {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  if (content !== undefined) element.textContent = content
  return element
}

/** `2026-01-31 12:00` out of the name of a report; UTC. */
export function momentOf(name) {
  const digits = name.replace(/^\D+/, '').replace(/\D/g, '')
  const [, year, month, day, hour, minute] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)/.exec(digits) ?? []
  return year === undefined ? name : `${year}-${month}-${day} ${hour}:${minute}`
}

/** The counts of a run, whoever wrote the report. */
export function countsOf(metadata) {
  const of = (key) => (Number.isFinite(metadata?.[key]) ? metadata[key] : 0)
  const failing = of('wrong_ip') + of('dns_fail') + of('timeout')
  const tested = metadata?.dns_tested === undefined ? of('success') + failing : of('dns_tested')
  const all = metadata?.total_relays === undefined ? tested : of('total_relays')
  return {
    failing,
    tested,
    all,
    rate: tested === 0 ? null : (100 * failing) / tested,
    invalid: metadata?.invalid ?? null,
  }
}
