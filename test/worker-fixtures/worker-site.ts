/** The Worker on this machine: bundled by wrangler without a network, run by workerd, its KV counted. */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { convertV4MiniflareOptions, Miniflare, Response as WorkerdResponse } from 'miniflare'
import { HOME } from '../tidy/source-tree.ts'

const require = createRequire(import.meta.url)

/** A bundle, as a deployment would send it. */
export interface WorkerBundle {
  readonly script: string
  /** The name under which the script imports `dns-monitor.toml`. */
  readonly tomlPath: string
  /** Other text modules, by the names under which the script imports them. */
  readonly texts: ReadonlyMap<string, string>
}

/** Bundles as a deployment does; nothing is sent. */
export async function bundleWorker(directory: string): Promise<WorkerBundle> {
  const wrangler = join(dirname(require.resolve('wrangler/package.json')), 'bin/wrangler.js')
  await promisify(execFile)(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', directory], {
    cwd: join(HOME, 'worker'),
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', HOME: directory },
  })
  const names = await readdir(directory)
  const tomlPath = names.find((name) => name.endsWith('.toml')) ?? ''
  const texts = new Map<string, string>()
  for (const name of names.filter((each) => /^[0-9a-f]{40}-.*\.md$/.test(each)))
    texts.set(name, await readFile(join(directory, name), 'utf8'))
  return { script: await readFile(join(directory, 'main.js'), 'utf8'), tomlPath, texts }
}

/** Runs the Worker with a KV that counts: what stands between it and the runtime sees every operation. */
const COUNTING = `
import worker from './main.js'
let gets = 0, puts = []
const count = (env) => env.DNS_HISTORY === undefined ? env : { ...env, DNS_HISTORY: {
  get: (key) => { gets += 1; return env.DNS_HISTORY.get(key) },
  put: (key, value) => { puts.push(key); return env.DNS_HISTORY.put(key, value) },
} }
export default {
  fetch: (request, env, context) => {
    if (new URL(request.url).pathname !== '/test/counts') return worker.fetch(request, count(env), context)
    const counts = { gets, puts }
    gets = 0
    puts = []
    return Response.json(counts)
  },
  scheduled: (controller, env, context) => worker.scheduled(controller, count(env), context),
}
`

/** Operations on KV since they were asked for last. */
export interface KvCounts {
  readonly gets: number
  readonly puts: readonly string[]
}

/** What a site runs with. */
export interface SiteOptions {
  readonly toml: string
  readonly variables?: Readonly<Record<string, string>>
  /** Where the requests of a host go: an address on loopback. */
  readonly route: (host: string) => string
}

/** A Worker that runs. */
export interface WorkerSite extends AsyncDisposable {
  /** Runs the cron of a minute. @returns The outcome of workerd: `ok` or `exception`. */
  cron(atMs: number): Promise<string>
  request(path: string, init?: RequestInit): Promise<Response>
  readKv(key: string): Promise<unknown>
  writeKv(key: string, value: string): Promise<void>
  listKv(): Promise<readonly string[]>
  counts(): Promise<KvCounts>
  /** Addresses of all requests that left since the last call. */
  takeFetches(): readonly string[]
}

interface Kv {
  get(key: string): Promise<string | null>
  put(key: string, value: string): Promise<void>
  list(): Promise<{ readonly keys: readonly { readonly name: string }[] }>
}

interface Cron {
  scheduled(options: { readonly scheduledTime: Date; readonly cron: string }): Promise<{ readonly outcome: string }>
}

/** Starts the Worker with an empty KV. */
export async function startWorkerSite(bundle: WorkerBundle, options: SiteOptions): Promise<WorkerSite> {
  const { toml, variables = {}, route } = options
  let fetches: string[] = []
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: 'monitor',
      modules: [
        { type: 'ESModule', path: 'counting.js', contents: COUNTING },
        { type: 'ESModule', path: 'main.js', contents: bundle.script },
        { type: 'Text', path: bundle.tomlPath, contents: toml },
        ...[...bundle.texts].map(([path, contents]) => ({ type: 'Text' as const, path, contents })),
      ],
      host: '127.0.0.1',
      port: 0,
      compatibilityDate: '2026-11-01',
      compatibilityFlags: ['global_fetch_strictly_public'],
      cf: false,
      // What the Worker logs is for who runs it.
      handleStructuredLogs: () => {},
      bindings: variables,
      kvNamespaces: ['DNS_HISTORY'],
      outboundService: async (request) => {
        const url = new URL(request.url)
        fetches.push(request.url)
        const response = await fetch(`${route(url.host)}${url.pathname}${url.search}`, {
          method: request.method,
          headers: { ...Object.fromEntries(request.headers), 'x-host': url.host },
          ...(request.method === 'POST' ? { body: Buffer.from(await request.arrayBuffer()) } : {}),
        })
        const headers = Object.fromEntries(response.headers)
        return new WorkerdResponse(Buffer.from(await response.arrayBuffer()), { status: response.status, headers })
      },
    }),
  )
  const url = await miniflare.ready
  // Their types come from a package that nothing else needs.
  const kv = (await miniflare.getKVNamespace('DNS_HISTORY')) as unknown as Kv
  const worker = (await miniflare.getWorker()) as unknown as Cron
  const request: WorkerSite['request'] = (path, init) => fetch(new URL(path, url), init)
  return {
    cron: async (atMs) => (await worker.scheduled({ scheduledTime: new Date(atMs), cron: '* * * * *' })).outcome,
    request,
    readKv: async (key) => JSON.parse((await kv.get(key)) ?? 'null') as unknown,
    writeKv: (key, value) => kv.put(key, value),
    listKv: async () => (await kv.list()).keys.map(({ name }) => name),
    counts: async () => (await (await request('/test/counts')).json()) as KvCounts,
    takeFetches: () => {
      const taken = fetches
      fetches = []
      return taken
    },
    [Symbol.asyncDispose]: () => miniflare.dispose(),
  }
}
