import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { exampleFacts, exampleReport, exampleResult } from '../../../test/exit-fixtures/example-report.ts'
import { nodeFiles } from '../../platform/node-files.ts'
import { buildExitReport } from './exit-report.ts'
import { composeOperatorReports, writeOperatorReports } from './operator-reports.ts'

const report = (...results: Parameters<typeof buildExitReport>[0]): ReturnType<typeof buildExitReport> =>
  buildExitReport(results, exampleFacts())

describe('composeOperatorReports', () => {
  test('has one report for each operator with failing relays', () => {
    const reports = composeOperatorReports(
      report(
        exampleResult(1, 'timeout', { operator: 'a.example', consecutive_failures: 7 }),
        exampleResult(2, 'wrong_ip', { operator: 'a.example' }),
        exampleResult(3, 'success', { operator: 'b.example' }),
        exampleResult(4, 'circuit_fail', { operator: 'c.example' }),
        exampleResult(5, 'dns_fail'),
      ),
    )
    expect([...reports.keys()]).toEqual(['operator_a.example.md'])
    const text = reports.get('operator_a.example.md') ?? ''
    expect(text).toContain('# DNS at exits of a.example')
    expect(text).toContain('2 relays could not resolve')
    expect(text).toContain('timeout (RESOLVER_TIMEOUT)')
    expect(text).toContain('- `wrong_ip`: The resolver gives an address')
    expect(text).not.toContain('exit3')
  })

  test('accuses nobody after an invalid run', () => {
    const invalid = exampleReport(['timeout'], { invalid: 'the zone is down' }, { operator: 'a.example' })
    expect(composeOperatorReports(invalid).size).toBe(0)
  })

  test('gives every operator a file of its own, inside the directory, whatever the name', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'B', '/', '.', '\\', '\u0000', '\n', '😀', '_'), minLength: 1 })
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 8 }), (operators) => {
        const results = operators.map((operator, index) => exampleResult(index, 'timeout', { operator }))
        const names = [...composeOperatorReports(report(...results)).keys()]
        expect(names).toHaveLength(operators.length)
        for (const each of names) expect(each).toMatch(/^operator_[a-z\d.@_-]+\.md$/)
      }),
    )
  })
})

describe('writeOperatorReports', () => {
  test('removes the reports of operators whose relays work again, and nothing else', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'candor-operators-'))
    onTestFinished(() => {
      rmSync(directory, { recursive: true })
    })
    writeFileSync(join(directory, 'notes.md'), 'mine')
    const [a, b] = [{ operator: 'a.example' }, { operator: 'b.example' }]
    const both = report(exampleResult(1, 'timeout', a), exampleResult(2, 'timeout', b))
    expect(await writeOperatorReports(nodeFiles, directory, both)).toBe(2)
    const one = report(exampleResult(1, 'timeout', a), exampleResult(2, 'success', b))
    expect(await writeOperatorReports(nodeFiles, directory, one)).toBe(1)
    expect(readdirSync(directory).toSorted()).toEqual(['notes.md', 'operator_a.example.md'])
    const invalid = buildExitReport(one.results, exampleFacts({ invalid: 'down' }))
    expect(await writeOperatorReports(nodeFiles, directory, invalid)).toBe(0)
    expect(readFileSync(join(directory, 'operator_a.example.md'), 'utf8')).toContain('a.example')
  })
})
