import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeTestDirectory } from '../alert-fixtures/alert-parts.ts'
import { PUBLISHED_ROWS, WHERE_ROWS_ARE } from '../satellite-fixtures/published-rows.ts'
import { runSimulatedCli } from './simulated-cli.ts'

const FLAVOURS = ['v1', 'v2.0', 'v2.1', 'v2.2', 'v2.3']

function readLines(path: string): readonly unknown[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as unknown)
}

describe('candor satellite', () => {
  test.skipIf(PUBLISHED_ROWS === undefined).each(FLAVOURS)(
    `gives every real file of %s back as it was, directly and by way of columns${WHERE_ROWS_ARE}`,
    async (flavour) => {
      const source = join(PUBLISHED_ROWS ?? '', flavour)
      const home = makeTestDirectory()
      const imported = join(home, 'imported')
      const given = await runSimulatedCli(['satellite', 'import', source, '--output', imported])
      expect(given.status).toBe(0)
      for (const [at, path] of [source, imported].entries()) {
        const output = join(home, `back-${at}`)
        const convert = ['satellite', 'convert', path, '--format', 'source', '--output', output]
        expect((await runSimulatedCli(convert)).status).toBe(0)
        const names = readdirSync(source)
        expect(readdirSync(output).toSorted()).toEqual(names.map((name) => name.replace(/l$/, '')).toSorted())
        for (const name of names)
          expect(readLines(join(output, name.replace(/l$/, '')))).toEqual(readLines(join(source, name)))
      }
    },
  )
})
