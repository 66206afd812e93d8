import { describe, expect, test } from 'vitest'
import type { SatelliteCountry } from '../model/satellite-archive.ts'
import { renderSatelliteMap } from './satellite-map.ts'

function make(country: string, interfered: number, tested: number): SatelliteCountry {
  return { country, interfered, tested, resolvers: 9, domains: 100, highestShare: null }
}

async function draw(...countries: readonly SatelliteCountry[]): Promise<string> {
  return String(await renderSatelliteMap(countries, (country) => `/to/${country}`))
}

function count(text: string, level: string): number {
  return text.split(`<path class="w w-${level}"`).length - 1
}

describe('renderSatelliteMap', () => {
  test('draws each country by what was shown there, and everything else as not measured', async () => {
    const map = await draw(make('DE', 10, 100), make('FR', 1, 100), make('JP', 0, 100), make('XK', 0, 0))
    expect(['many', 'some', 'none', 'few'].map((level) => count(map, level))).toEqual([1, 1, 1, 1])
    expect(count(map, 'absent')).toBeGreaterThan(150)
    expect(map).toContain('Germany: 10 of 100 names; 9 resolvers')
    expect(map).not.toContain('Without an outline')
  })

  test('names what has no outline, and draws it nowhere', async () => {
    const map = await draw(make('XA', 10, 100), make('MC', 10, 100))
    expect(count(map, 'many')).toBe(0)
    const beside = map.slice(map.indexOf('Without an outline')).replaceAll(/\s+/g, ' ')
    expect(beside.slice(0, 200)).toContain('<a href="/to/XA">XA</a>, <a href="/to/MC">Monaco</a>.')
  })
})
