/** Domains in memory, for simulated months: the port of the store without a disk. */
import {
  createDomainHealth,
  type DomainChange,
  type DomainRow,
  type DomainStore,
  type DomainTrace,
} from '../../src/model/domain.ts'

/** Rows that a test may look at and change. */
export interface MemoryDomainStore extends DomainStore {
  readonly rows: Map<number, DomainRow>
}

/** A store that holds nothing yet. */
export function createMemoryDomainStore(): MemoryDomainStore {
  const rows = new Map<number, DomainRow>()
  const ids = new Map<string, number>()
  const newest = new Map<number, DomainTrace>()
  const texts = new Map<string, string>()
  const due = (limit: number, at: (row: DomainRow) => number, nowMs: number): readonly DomainRow[] => {
    const found: DomainRow[] = []
    for (const row of rows.values()) if (at(row) <= nowMs) found.push(row)
    return found.toSorted((a, b) => at(a) - at(b)).slice(0, limit)
  }
  const refreshAt = ({ health }: DomainRow): number => health.refreshAtMs ?? Infinity
  const checkAt = ({ health }: DomainRow): number => Math.min(health.nextCheckAtMs, health.confirmAtMs ?? Infinity)
  const count = (): ReturnType<DomainStore['countStates']> => {
    const counts = new Map<DomainRow['health']['state'], number>()
    for (const { health } of rows.values()) counts.set(health.state, (counts.get(health.state) ?? 0) + 1)
    return counts
  }
  return {
    rows,
    replaceList: (domains, nowMs) => {
      for (const domain of domains) {
        const id = rows.size + 1
        ids.set(domain.name, id)
        rows.set(id, { ...domain, id, isListed: true, health: createDomainHealth(nowMs) })
      }
      return { added: rows.size, kept: 0, left: 0 }
    },
    dueForRefresh: (nowMs, limit) => due(limit, refreshAt, nowMs),
    dueForCheck: (nowMs, limit) => due(limit, checkAt, nowMs),
    nextDueAtMs: () => Math.min(...[...rows.values()].map((row) => Math.min(refreshAt(row), checkAt(row)))),
    commit: (changes: readonly DomainChange[], kept = new Map<string, string>()) => {
      for (const { id, health, trace } of changes) {
        rows.set(id, { ...(rows.get(id) as DomainRow), health })
        if (trace !== null) newest.set(id, trace)
      }
      for (const [key, value] of kept) texts.set(key, value)
    },
    find: (name) => rows.get(ids.get(name) ?? 0),
    page: (_filter, afterId, limit) => [...rows.values()].filter(({ id }) => id > afterId).slice(0, limit),
    countReview: () => [...rows.values()].filter(({ health }) => health.needsReview).length,
    countStates: count,
    traces: (id) => [newest.get(id)].filter((trace) => trace !== undefined),
    best: (sinceMs, limit) => {
      const good = [...rows.values()].filter(({ health }) => (health.lastOkAtMs ?? 0) >= sinceMs)
      return good.toSorted((a, b) => b.health.scoreMilli - a.health.scoreMilli).slice(0, limit)
    },
    text: (key) => texts.get(key),
  }
}
