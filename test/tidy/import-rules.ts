/** Which room may import which, cycles, and files that nothing reaches. Each rule returns what breaks it, as sentences. */
import { isTest, listImports, roomOf, type SourceFile } from './source-tree.ts'

/** Room → the rooms that it may import besides itself; `*` stands for all. */
export type RoomTable = ReadonlyMap<string, readonly string[]>

/** The rooms that may import `*.node.ts` adapters. */
const ADAPTER_USERS = new Set(['cli', 'daemon', 'lab', 'platform'])

/**
 * Reads the table of rooms from ARCHITECTURE.md: rows `| floor | \`room/\` | what | may import |`. The last cell names
 * rooms, `everything`, or `–` for none.
 */
export function parseRoomTable(markdown: string): RoomTable {
  const table = new Map<string, readonly string[]>()
  for (const line of markdown.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim())
    const rooms = [...(cells[2] ?? '').matchAll(/`([\w/]+)\/`/g)].map((match) => match[1] ?? '')
    if (cells.length !== 6 || rooms.length === 0) continue
    const allowed = (cells[4] ?? '').replaceAll(/[`/](?=[\s,`]|$)|`/g, '')
    const names = allowed === 'everything' ? ['*'] : allowed === '–' ? [] : allowed.split(/,\s*/)
    for (const room of rooms) table.set(room, names)
  }
  return table
}

/** Names in the table that are no rooms, folders without a row, and rows without a folder. */
export function findTableErrors(table: RoomTable, files: readonly SourceFile[]): readonly string[] {
  const folders = new Set(files.map((file) => roomOf(file.path)))
  return [
    ...[...table].flatMap(([room, allowed]) =>
      allowed
        .filter((name) => name !== '*' && !table.has(name))
        .map((name) => `${room} may import ${name}, which is no room`),
    ),
    ...[...folders].filter((room) => !table.has(room)).map((room) => `src/${room} stands in no row of the table`),
    ...[...table.keys()].filter((room) => !folders.has(room)).map((room) => `the room ${room} has no file`),
  ]
}

/** Imports that the table does not allow, type imports included. */
export function findForbiddenImports(table: RoomTable, files: readonly SourceFile[]): readonly string[] {
  return files
    .filter((file) => !isTest(file))
    .flatMap((file) => {
      const room = roomOf(file.path)
      const allowed = table.get(room) ?? []
      return listImports(file)
        .filter((target) => {
          if (!target.startsWith('src/')) return true
          const other = roomOf(target)
          return other !== room && !allowed.includes('*') && !allowed.includes(other)
        })
        .map((target) => `${file.path} imports ${target}, which ${room} may not`)
    })
}

/** Adapters (`*.node.ts`) that a room other than cli, daemon, lab and platform imports. */
export function findForbiddenAdapters(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter((file) => !isTest(file) && !ADAPTER_USERS.has(roomOf(file.path)))
    .filter((file) => !file.path.endsWith('.node.ts'))
    .flatMap((file) =>
      listImports(file)
        .filter((target) => target.endsWith('.node.ts'))
        .map((target) => `${file.path} imports the adapter ${target}`),
    )
}

/** Cycles of imports, each once, as `a → b → a`. */
export function findCycles(files: readonly SourceFile[]): readonly string[] {
  const graph = new Map(files.map((file) => [file.path, listImports(file)]))
  const done = new Set<string>()
  const path: string[] = []
  const cycles: string[] = []
  const visit = (at: string): void => {
    const start = path.indexOf(at)
    if (start >= 0) {
      cycles.push([...path.slice(start), at].join(' → '))
      return
    }
    if (done.has(at)) return
    path.push(at)
    for (const next of graph.get(at) ?? []) visit(next)
    path.pop()
    done.add(at)
  }
  for (const file of files) visit(file.path)
  return cycles
}

/** Files that cannot be reached from the entry points; what only its own test imports is dead as well. */
export function findDeadFiles(files: readonly SourceFile[], roots: readonly string[]): readonly string[] {
  const graph = new Map(files.map((file) => [file.path, listImports(file)]))
  const alive = new Set<string>()
  const queue = [...roots]
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    if (alive.has(at)) continue
    alive.add(at)
    queue.push(...(graph.get(at) ?? []))
  }
  return files.filter((file) => !isTest(file) && !alive.has(file.path)).map((file) => `nothing reaches ${file.path}`)
}
