/** Each rule is shown something that breaks it: a rule that cannot fail looks at nothing. */
import { describe, expect, test } from 'vitest'
import {
  findBrokenLinks,
  findDetectorsWithoutPage,
  findLockGaps,
  findRegistryHosts,
  findUnexplainedDependencies,
  findUnexplainedFailures,
} from './document-rules.ts'
import {
  findCycles,
  findDeadFiles,
  findForbiddenAdapters,
  findForbiddenImports,
  findTableErrors,
  parseRoomTable,
} from './import-rules.ts'
import { listSpecifiers, roomOf } from './source-tree.ts'
import {
  findBadNames,
  findLongFiles,
  findLongFunctions,
  findMissingHeaders,
  findMocks,
  findPromises,
  findUndocumentedExports,
} from './text-rules.ts'

const TABLE = parseRoomTable(
  [
    '| floor | room | what lives there | may import |',
    '|---|---|---|---|',
    '| ground | `core/` | time | – |',
    '| | `model/` | records | `core` |',
    '| work | `campaigns/exits/`, `campaigns/monitor/` | campaigns | `core`, `model` |',
    '| doors | `cli/` | commands | everything |',
  ].join('\n'),
)

const file = (path: string, text: string): { path: string; text: string } => ({ path, text })

describe('parseRoomTable', () => {
  test('reads rooms and what they may import', () => {
    expect([...TABLE]).toEqual([
      ['core', []],
      ['model', ['core']],
      ['campaigns/exits', ['core', 'model']],
      ['campaigns/monitor', ['core', 'model']],
      ['cli', ['*']],
    ])
  })
})

describe('listSpecifiers', () => {
  test('sees every form of import and no text', () => {
    const text = [
      "import { a } from './a.ts'",
      "import type {\n  B,\n} from './b.ts'",
      "import * as c from './c.ts'",
      "import './d.ts'",
      "export { e } from './e.ts'",
      "export type { F } from './f.ts'",
      "const g = await import('./g.ts')",
      "new Worker(new URL('./h.ts', import.meta.url))",
      "const x = 'from './nothing.ts''",
    ].join('\n')
    expect(listSpecifiers(text).toSorted()).toEqual(
      ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `./${name}.ts`),
    )
  })
})

describe('findTableErrors', () => {
  test('reports a folder without a row, a row without a folder and an unknown name', () => {
    const table = new Map([...TABLE, ['model', ['cord']]])
    expect(
      findTableErrors(
        table,
        ['core', 'model', 'cli', 'campaigns/exits', 'attic'].map((room) => file(`src/${room}/a.ts`, '')),
      ),
    ).toEqual([
      'model may import cord, which is no room',
      'src/attic stands in no row of the table',
      'the room campaigns/monitor has no file',
    ])
  })
})

describe('findForbiddenImports', () => {
  test.each([
    ['src/core/a.ts', "import { b } from '../model/b.ts'"],
    ['src/core/a.ts', "import type { B } from '../model/b.ts'"],
    ['src/campaigns/exits/a.ts', "import { b } from '../monitor/b.ts'"],
    ['src/model/a.ts', "import { b } from '../../test/b.ts'"],
  ])('reports %s with %s', (path, text) => {
    expect(findForbiddenImports(TABLE, [file(path, text)])).toHaveLength(1)
  })
  test('lets the table, the own room and tests pass', () => {
    const files = [
      file('src/model/a.ts', "import { b } from '../core/b.ts'\nimport { c } from './c.ts'"),
      file('src/cli/a.ts', "import { b } from '../campaigns/exits/b.ts'"),
      file('src/core/a.test.ts', "import { b } from '../cli/b.ts'"),
    ]
    expect(findForbiddenImports(TABLE, files)).toEqual([])
  })
})

describe('findForbiddenAdapters', () => {
  test('reports an adapter outside its users', () => {
    const text = "import { s } from './sqlite.node.ts'"
    expect(findForbiddenAdapters([file('src/store/a.ts', text)])).toHaveLength(1)
    expect(findForbiddenAdapters([file('src/cli/a.ts', "import { s } from '../store/sqlite.node.ts'")])).toEqual([])
  })
})

describe('findCycles', () => {
  test('reports a cycle of three, type imports included', () => {
    const files = [
      file('src/core/a.ts', "import { b } from './b.ts'"),
      file('src/core/b.ts', "import type { C } from './c.ts'"),
      file('src/core/c.ts', "import { a } from './a.ts'"),
    ]
    expect(findCycles(files)).toEqual(['src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts'])
  })
})

describe('findDeadFiles', () => {
  test('reports what only its test imports', () => {
    const files = [
      file('src/cli/main.ts', "import { a } from '../core/a.ts'"),
      file('src/core/a.ts', ''),
      file('src/core/b.ts', ''),
      file('src/core/b.test.ts', "import { b } from './b.ts'"),
    ]
    expect(findDeadFiles(files, ['src/cli/main.ts'])).toEqual(['nothing reaches src/core/b.ts'])
  })
})

describe('text rules', () => {
  test('report a file of 401 lines', () => {
    expect(findLongFiles([file('a.ts', 'x\n'.repeat(400)), file('b.ts', 'x\n'.repeat(401))])).toHaveLength(1)
  })
  test('report a function of 71 lines, not counting comments', () => {
    const body = (lines: number): string => `function f(): void {\n${'  x()\n'.repeat(lines - 2)}  // why\n\n}\n`
    expect(findLongFunctions([file('a.ts', body(70))])).toEqual([])
    expect(findLongFunctions([file('a.ts', body(71))])).toEqual(['a.ts: f has 71 lines'])
  })
  test('report names that are no names', () => {
    const names = ['src/core/utils.ts', 'src/core/camelCase.ts', 'src/core/a_b.ts', 'src/store/index.node.ts']
    expect(findBadNames(names.map((name) => file(name, '')))).toHaveLength(4)
    expect(findBadNames([file('src/store/sqlite.node.test.ts', ''), file('src/net/do53-udp.ts', '')])).toEqual([])
  })
  test('report a file without a header', () => {
    expect(findMissingHeaders([file('a.ts', "import 'x'"), file('b.ts', '/** What. */')])).toHaveLength(1)
  })
  test('report an export without a comment', () => {
    const text =
      '/** A. */\nexport function a(): void {}\nexport async function b(): Promise<void> {}\nexport type C = 1'
    expect(findUndocumentedExports([file('a.ts', text)])).toEqual([
      'a.ts:3 exports b without a doc comment',
      'a.ts:4 exports C without a doc comment',
    ])
  })
  test('report promises and mocks', () => {
    expect(findPromises([file('a.ts', `a\n// ${['TO', 'DO'].join('')}: later`)])).toHaveLength(1)
    expect(findMocks([file('a.test.ts', `vi.${['mo', 'ck'].join('')}('./x.ts')`)])).toHaveLength(1)
  })
})

describe('document rules', () => {
  test('report a detector without a page', () => {
    const detector = file('src/verdicts/late-answer.ts', 'export function detectLateAnswer(): void {}')
    expect(findDetectorsWithoutPage([detector], [])).toHaveLength(1)
    expect(findDetectorsWithoutPage([detector], [file('docs/detectors/late-answer.md', '')])).toEqual([])
  })
  test('report a failure that is not explained, and a list that is not found', () => {
    const source = "export type Failure =\n  | 'eof_error'\n  | `unknown_failure: ${string}`\n\n/** Side. */"
    expect(findUnexplainedFailures(source, '- `eof_error`')).toEqual(['failures.md does not explain unknown_failure'])
    expect(findUnexplainedFailures('', '')).toHaveLength(1)
  })
  test('report a dependency without a reason, and a reason without a dependency', () => {
    const manifest = { dependencies: { zod: '1', hono: '1' } }
    expect(findUnexplainedDependencies(manifest, '| `zod` | schemas |\n| `joi` | schemas |')).toEqual([
      'hono has no line with a reason',
      'joi is explained and no dependency',
    ])
  })
  test('report a registry in the lock file', () => {
    expect(findRegistryHosts('"resolved": "https://registry.example/a.tgz"')).toHaveLength(1)
  })
  test('report a package that the lock file lacks', () => {
    const packages = {
      'node_modules/a': { optionalDependencies: { 'a-linux': '1', 'a-win32': '1' } },
      'node_modules/a-linux': {},
    }
    expect(findLockGaps(JSON.stringify({ packages }))).toEqual(['package-lock.json lacks a-win32'])
  })
  test('report a link to nothing', () => {
    const page = file('docs/a.md', '[a](b.md) [c](../README.md#top) [d](https://example.org) [e](#here)')
    expect(findBrokenLinks(page, (path) => path === 'docs/../README.md')).toEqual([
      'docs/a.md links to b.md, which does not exist',
    ])
  })
})

describe('roomOf', () => {
  test('takes each campaign for a room', () => {
    expect(roomOf('src/campaigns/exits/report.ts')).toBe('campaigns/exits')
    expect(roomOf('src/core/clock.ts')).toBe('core')
  })
})
