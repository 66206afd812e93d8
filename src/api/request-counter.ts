/**
 * Counts answers by door and class of status.
 *
 * Invariant: doors and classes are closed lists, so whatever strangers ask for, the counter stays as small as it is.
 */

/** A part of the site. */
export type Door = 'api' | 'events' | 'pages' | 'assets' | 'files' | 'metrics'

/** Answers of one kind. */
export interface CountedAnswers {
  readonly door: Door
  /** `2xx`, … */
  readonly statusClass: string
  readonly count: number
}

/** A counter. */
export interface RequestCounter {
  add(path: string, status: number): void
  list(): readonly CountedAnswers[]
}

const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx']

/** Makes a counter at zero. */
export function createRequestCounter(): RequestCounter {
  const counts = new Map<string, { door: Door; statusClass: string; count: number }>()
  return {
    add: (path, status) => {
      const door = doorOf(path)
      const statusClass = CLASSES[Math.floor(status / 100) - 1] ?? '5xx'
      const found = counts.get(`${door} ${statusClass}`)
      if (found === undefined) counts.set(`${door} ${statusClass}`, { door, statusClass, count: 1 })
      else found.count += 1
    },
    list: () => [...counts.values()],
  }
}

function doorOf(path: string): Door {
  if (path === '/api/v1/events') return 'events'
  if (path.startsWith('/api/') || path === '/openapi.json' || path.startsWith('/latest/')) return 'api'
  if (path.startsWith('/assets/')) return 'assets'
  if (path === '/metrics' || path === '/healthz' || path === '/readyz') return 'metrics'
  return /\.(?:json|gz|md)$/.test(path) ? 'files' : 'pages'
}
