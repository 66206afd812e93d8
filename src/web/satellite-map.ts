/**
 * The map of countries, drawn on the server.
 *
 * **Invariant**: everything in it stands in the table below it too; a country that was not measured has no colour. What has no
 * outline (small countries, codes of a laboratory) is named beside it.
 *
 * **Sources**: outlines of Natural Earth by world-atlas.
 */
import { geoNaturalEarth1, geoPath } from 'd3-geo'
import { html, raw } from 'hono/html'
import { feature } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'
import atlas from 'world-atlas/countries-110m.json' with { type: 'json' }
import type { SatelliteCountry } from '../model/satellite-archive.ts'
import { COUNTRY_NUMBERS } from './country-numbers.ts'
import { formatCount } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { nameCountry } from './satellite-words.ts'

const WIDTH = 960
const HEIGHT = 470
/** Nobody has a resolver there. */
const ANTARCTICA = '010'
/** Areas whose standing is disputed have no number: no measurement is drawn there. */
const NOBODY = ''
/** Kosovo has a code that everybody uses, and no number. */
const KOSOVO = 'XK'
/** Of the tested names; above it a country is drawn darker. */
const MANY = 0.05

interface Outline {
  /** ISO 3166-1 number; {@link NOBODY} for areas without one. */
  readonly number: string
  /** Path of SVG. */
  readonly path: string
}

let outlines: readonly Outline[] | undefined

/** How a country is drawn, and what its class says. */
const LEVELS = [
  ['many', 'interference shown for more than 5 % of the tested names'],
  ['some', 'interference shown for some names'],
  ['none', 'measured, interference not shown'],
  ['few', 'asked, but nowhere five resolvers'],
  ['absent', 'not measured'],
] as const

/** Renders map, legend, and the countries without an outline. @param link - Address of a country's page. */
export function renderSatelliteMap(countries: readonly SatelliteCountry[], link: (country: string) => string): Html {
  outlines ??= drawOutlines()
  const drawn = new Set<string | undefined>(outlines.map(({ number }) => number).filter((each) => each !== NOBODY))
  const isDrawn = ({ country }: SatelliteCountry): boolean => drawn.has(numberOf(country))
  const byNumber = new Map(countries.filter(isDrawn).map((country) => [numberOf(country.country), country]))
  const beside = countries.filter((country) => !isDrawn(country))
  return html`<figure class="world">
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="group" aria-labelledby="world-title">
      <title id="world-title">Map of the countries that were measured; the table below has the same numbers</title>
      <defs>
        <pattern id="few" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect class="w-few-ground" width="6" height="6"></rect>
          <line class="w-few-line" x1="0" y1="0" x2="0" y2="6"></line>
        </pattern>
      </defs>
      ${outlines.map((outline) => renderCountry(outline, byNumber.get(outline.number), link))}
    </svg>
    <ul class="legend">
      ${LEVELS.map(
        ([level, words]) =>
          html`<li>
            <svg width="18" height="12" aria-hidden="true">
              <rect class="w w-${level}" width="18" height="12" rx="2"></rect>
            </svg>
            ${words}
          </li>`,
      )}
    </ul>
    ${
      beside.length === 0
        ? ''
        : html`<p class="small">
            Without an outline on this map:
            ${beside.map((each, at) => html`${at === 0 ? '' : ', '}<a href="${link(each.country)}">${nameCountry(each.country)}</a>`)}.
            Codes that no country has are those of a laboratory.
          </p>`
    }
  </figure>`
}

function renderCountry(
  { path }: Outline,
  country: SatelliteCountry | undefined,
  link: (country: string) => string,
): Html {
  const shape = html`<path class="w w-${levelOf(country)}" d="${raw(path)}">
    ${country === undefined ? '' : html`<title>${describe(country)}</title>`}
  </path>`
  return country === undefined
    ? shape
    : html`<a href="${link(country.country)}" aria-label="${describe(country)}">${shape}</a>`
}

function levelOf(country: SatelliteCountry | undefined): (typeof LEVELS)[number][0] {
  if (country === undefined) return 'absent'
  if (country.tested === 0) return 'few'
  if (country.interfered === 0) return 'none'
  return country.interfered / country.tested > MANY ? 'many' : 'some'
}

function describe({ country, interfered, tested, resolvers }: SatelliteCountry): string {
  const found = tested === 0 ? 'too few resolvers' : `${formatCount(interfered)} of ${formatCount(tested)} names`
  return `${nameCountry(country)}: ${found}; ${formatCount(resolvers)} resolvers`
}

function drawOutlines(): readonly Outline[] {
  // The library describes any topology; which objects this one has is known from its documentation.
  const topology = atlas as unknown as Topology<{ readonly countries: GeometryCollection<{ readonly name: string }> }>
  const { features } = feature(topology, topology.objects.countries)
  const shown = features.filter(({ id }) => id !== ANTARCTICA)
  const projection = geoNaturalEarth1().fitSize([WIDTH, HEIGHT], { type: 'FeatureCollection', features: shown })
  const draw = geoPath(projection).digits(1)
  return shown.map((each) => ({
    number: each.properties.name === 'Kosovo' ? KOSOVO : String(each.id ?? NOBODY),
    path: draw(each) ?? '',
  }))
}

function numberOf(country: string): string | undefined {
  return country === KOSOVO ? KOSOVO : COUNTRY_NUMBERS.get(country)
}
