/** Readers of a daemon: several at once, each asking for one address after the other, and what it took. */
import { Agent, get } from 'node:http'
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { randomInt, type Random } from '../../src/core/random.ts'

/** A kind of address, and how one of it is drawn. */
export interface AddressKind {
  readonly name: string
  readonly draw: (random: Random) => string
}

/** What readers do. */
export interface LoadPlan {
  readonly origin: string
  readonly kinds: readonly AddressKind[]
  readonly clients: number
  readonly requests: number
  readonly random: Random
}

/** One request that was answered. */
export interface AnsweredRequest {
  readonly kind: string
  readonly path: string
  readonly status: number
  /** From asking to the last octet. */
  readonly elapsedMs: number
  readonly octets: number
}

/** Asks. Connections are kept, nothing else is. @returns Every request, in order of its answer. */
export async function loadPages(plan: LoadPlan): Promise<readonly AnsweredRequest[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: plan.clients })
  const answered: AnsweredRequest[] = []
  let left = plan.requests
  const read = async (): Promise<void> => {
    while (left-- > 0) {
      const kind = plan.kinds[randomInt(plan.random, plan.kinds.length)]
      if (kind === undefined) return
      const path = kind.draw(plan.random)
      const startedAtMs = performance.now()
      const { status, octets } = await request(agent, plan.origin + path)
      answered.push({ kind: kind.name, path, status, elapsedMs: performance.now() - startedAtMs, octets })
    }
  }
  await Promise.all(Array.from({ length: plan.clients }, read))
  agent.destroy()
  return answered
}

function request(agent: Agent, url: string): Promise<{ readonly status: number; readonly octets: number }> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let octets = 0
      response.on('data', (chunk: Uint8Array) => (octets += chunk.length))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, octets })
      })
      response.on('error', reject)
    }).on('error', reject)
  })
}

/** The time within which a share of requests was answered, in milliseconds. */
function percentileMs(answered: readonly AnsweredRequest[], share: number): number {
  const sorted = answered.map(({ elapsedMs }) => elapsedMs).toSorted((a, b) => a - b)
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? 0
}

/** One line per kind of address, the slowest first: for people, when something is too slow. */
export function describeLoad(answered: readonly AnsweredRequest[]): string {
  const line = (name: string, of: readonly AnsweredRequest[]): readonly [number, string] => {
    const at = (share: number): string => percentileMs(of, share).toFixed(1).padStart(8)
    const mean = of.reduce((sum, { octets }) => sum + octets, 0) / Math.max(of.length, 1)
    const text = `${name.padEnd(28)}${String(of.length).padStart(6)}${at(0.5)}${at(0.95)}${at(1)} ms ${Math.round(mean / 1000)} kB`
    return [percentileMs(of, 0.95), text]
  }
  const kinds = [...Map.groupBy(answered, ({ kind }) => kind)].map(([name, of]) => line(name, of))
  return [line('all', answered), ...kinds.toSorted((a, b) => b[0] - a[0])].map(([, text]) => text).join('\n')
}

/** Watches how much memory a process has. @returns A function that stops, and gives the most that was seen, in MB. */
export function watchMemory(pid: number): () => Promise<number> {
  const stop = new AbortController()
  let most = 0
  const watching = (async () => {
    while (!stop.signal.aborted) {
      const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
      most = Math.max(most, Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1000)
      await pause(100)
    }
  })()
  return async () => {
    stop.abort()
    await watching
    return most
  }
}

/** Processor time that a process has used so far, all its threads together, in milliseconds. Other work hardly changes it. */
export async function readCpuMs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  // After the name, which may hold spaces; the fields are user and system time in hundredths of a second.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
