/**
 * Lists of bad addresses in files: one prefix or address a line, `#` and `;` begin a comment.
 *
 * Invariant: a file that is too old, absent or unreadable says nothing, and says so; it is read again in its own time.
 * Lines that are no prefix are skipped and counted. At most a million prefixes of a file are kept.
 */
import type { Clock } from '../core/clock.ts'
import { FileError, readText, type Files } from '../core/files.ts'
import { formatPrefix, parseIp, parsePrefix, truncatePrefix } from '../core/ip-address.ts'
import type { ReputationFile } from '../model/monitor-name.ts'

const FILE_OCTETS_MAX = 64 * 1024 * 1024
const PREFIXES_MAX = 1_000_000

/** The lists of a configuration. */
export interface ReputationLists {
  /** The lists that have an address, by its prefixes, bit by bit. */
  find(address: string): Promise<readonly { readonly list: string; readonly category: string }[]>
  /** What is wrong with lists now: a sentence each. */
  problems(): readonly string[]
}

interface LoadedList {
  readonly prefixes: ReadonlySet<string>
  /** Lengths that occur, so that an address is looked up once for each. */
  readonly lengths: { readonly v4: readonly number[]; readonly v6: readonly number[] }
  readonly readAtMs: number
  readonly problem: string | null
}

/** Prepares lists; files are read when somebody asks. */
export function createReputationLists(
  files: Files,
  clock: Clock,
  configured: readonly ReputationFile[],
): ReputationLists {
  const loaded = new Map<string, LoadedList>()
  const refresh = async (file: ReputationFile): Promise<LoadedList> => {
    const known = loaded.get(file.path)
    if (known !== undefined && clock.nowMs() - known.readAtMs < file.refreshMs) return known
    const list = await loadList(files, clock, file)
    loaded.set(file.path, list)
    return list
  }
  return {
    find: async (address) => {
      const octets = parseIp(address)
      if (octets === undefined) return []
      const hits: { list: string; category: string }[] = []
      for (const file of configured) {
        const { prefixes, lengths } = await refresh(file)
        const own = octets.length === 4 ? lengths.v4 : lengths.v6
        if (own.some((bits) => prefixes.has(formatPrefix(truncatePrefix(octets, bits)))))
          hits.push({ list: file.name, category: file.category })
      }
      return hits
    },
    problems: () => [...loaded.values()].flatMap(({ problem }) => problem ?? []),
  }
}

async function loadList(files: Files, clock: Clock, { path, name, maxAgeMs }: ReputationFile): Promise<LoadedList> {
  const nothing = { prefixes: new Set<string>(), lengths: { v4: [], v6: [] }, readAtMs: clock.nowMs() }
  try {
    const info = await files.info(path)
    if (info === undefined) return { ...nothing, problem: `the list ${name} has no file ${path}` }
    if (clock.wallNowMs() - info.modifiedAtMs > maxAgeMs)
      return { ...nothing, problem: `the list ${name} is older than it may be` }
    return { ...readPrefixes(await readText(files, path, FILE_OCTETS_MAX), name), readAtMs: nothing.readAtMs }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return { ...nothing, problem: `the list ${name} cannot be read: ${error.message}` }
  }
}

function readPrefixes(text: string, name: string): Omit<LoadedList, 'readAtMs'> {
  const prefixes = new Set<string>()
  const [v4, v6] = [new Set<number>(), new Set<number>()]
  let wrong = 0
  for (const line of text.split('\n')) {
    const word = line.replace(/[#;].*$/, '').trim()
    if (word === '') continue
    const octets = parseIp(word)
    const prefix = octets === undefined ? parsePrefix(word) : { octets, bits: octets.length * 8 }
    if (prefix === undefined || prefixes.size >= PREFIXES_MAX) {
      wrong += 1
      continue
    }
    prefixes.add(formatPrefix(truncatePrefix(prefix.octets, prefix.bits)))
    ;(prefix.octets.length === 4 ? v4 : v6).add(prefix.bits)
  }
  const problem = wrong === 0 ? null : `the list ${name} has ${wrong} lines that are no prefix, or too many`
  return { prefixes, lengths: { v4: [...v4], v6: [...v6] }, problem }
}
