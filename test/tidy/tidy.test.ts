import { existsSync } from 'node:fs'
import { join, normalize } from 'node:path'
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
import { HOME, readText, readTree } from './source-tree.ts'
import {
  findBadNames,
  findLongFiles,
  findLongFunctions,
  findMissingHeaders,
  findMocks,
  findPromises,
  findUndocumentedExports,
} from './text-rules.ts'

/** What nothing has to import: the program itself, and what `worker/main.ts` hands to Cloudflare. */
const ROOTS = ['src/cli/main.ts', 'src/worker/create-worker.ts']

const sources = readTree('src', ['.ts'])
const everything = [...sources, ...readTree('test', ['.ts']), ...readTree('scripts', ['.ts', '.mjs'])]
const pages = [
  ...readTree('docs', ['.md']),
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'ETHICS.md', 'CHANGELOG.md'].map((path) => ({
    path,
    text: readText(path),
  })),
]
const rooms = parseRoomTable(readText('ARCHITECTURE.md'))

describe('rooms', () => {
  test('are the folders of src/', () => {
    expect(rooms.size).toBeGreaterThan(10)
    expect(findTableErrors(rooms, sources)).toEqual([])
  })
  test('import only what the table allows', () => {
    expect(findForbiddenImports(rooms, sources)).toEqual([])
  })
  test('leave adapters to cli, daemon, lab and platform', () => {
    expect(findForbiddenAdapters(sources)).toEqual([])
  })
})

describe('files', () => {
  test('have no cycles', () => {
    expect(findCycles(sources)).toEqual([])
  })
  test('are reached from an entry point', () => {
    expect(findDeadFiles(sources, ROOTS)).toEqual([])
  })
  test('have at most 400 lines', () => {
    expect(findLongFiles(everything)).toEqual([])
  })
  test('have functions of at most 70 lines', () => {
    expect(findLongFunctions(everything)).toEqual([])
  })
  test('are named after one thing', () => {
    expect(findBadNames(sources)).toEqual([])
  })
  test('say at their head what they are', () => {
    expect(findMissingHeaders(everything.filter(({ path }) => path.endsWith('.ts')))).toEqual([])
  })
  test('document every export', () => {
    expect(findUndocumentedExports(everything)).toEqual([])
  })
  test('promise nothing', () => {
    expect(findPromises([...everything, ...pages])).toEqual([])
  })
  test('mock nothing', () => {
    expect(findMocks(everything)).toEqual([])
  })
})

describe('documents', () => {
  test('have a page for each detector', () => {
    expect(findDetectorsWithoutPage(sources, pages)).toEqual([])
  })
  test('explain every failure', () => {
    const page = readText('docs/formats/failures.md')
    expect(findUnexplainedFailures(readText('src/model/failure.ts'), page)).toEqual([])
  })
  test('give a reason for each runtime dependency', () => {
    const manifest = JSON.parse(readText('package.json')) as { readonly dependencies: Readonly<Record<string, string>> }
    expect(findUnexplainedDependencies(manifest, readText('docs/design/0002-dependencies.md'))).toEqual([])
  })
  test('link to files that exist', () => {
    const exists = (path: string): boolean => existsSync(join(HOME, normalize(path)))
    expect(pages.flatMap((page) => findBrokenLinks(page, exists))).toEqual([])
  })
})

describe('the lock file', () => {
  test('names no registry', () => {
    expect(findRegistryHosts(readText('package-lock.json'))).toEqual([])
  })
  test('has the packages of every platform', () => {
    expect(findLockGaps(readText('package-lock.json'))).toEqual([])
  })
})
