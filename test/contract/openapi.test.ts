/** Every operation of `/openapi.json` is asked, and its answer compared with what the document says. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { digest } from '../../src/api/access.ts'
import { silentLog } from '../../src/core/log.ts'
import { NO_DOCUMENTS } from '../../src/model/document-source.ts'
import type { AlertMessage } from '../../src/model/alert.ts'
import type { ExitArchive } from '../../src/model/exit-archive.ts'
import type { ExitReport } from '../../src/model/exit-result.ts'
import type { ExitIncident } from '../../src/model/incident.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { openAlertStores, type AlertStores } from '../../src/store/alert-stores.node.ts'
import { openExitArchive } from '../../src/store/exit-archive.node.ts'
import { openSatelliteArchive, type SatelliteStore } from '../../src/store/satellite-archive.node.ts'
import { createWebApp, type WebApp } from '../../src/web/create-web-app.ts'
import { NOTHING_PUBLISHED } from '../../src/model/published-source.ts'
import { createRunView } from '../web-fixtures/exit-run-fixture.ts'
import { createSettableControl, type SettableControl } from '../web-fixtures/settable-control.ts'
import { BLOCKED_PAIR, SATELLITE_RUN_ID, writeSatelliteRun } from '../web-fixtures/satellite-run.ts'
import { createSettableRun } from '../web-fixtures/settable-run.ts'

const LIVE = createRunView(12)
const KEPT_ID = '20261120160000'
const FINGERPRINT = LIVE.results[3]?.exit_fingerprint ?? ''
const TOKEN = 'candor_contract'

/** Addresses whose answers have no schema. */
const OTHERS = ['/api/v1/events', '/metrics', '/healthz', '/readyz']

const INCIDENT: ExitIncident = {
  id: `exits-${FINGERPRINT}-ipv4-${KEPT_ID}`,
  campaign: 'exits',
  fingerprint: FINGERPRINT,
  family: 'ipv4',
  status: 'open',
  severity: 'medium',
  nickname: 'quokka',
  exitAddress: '192.0.2.7',
  operator: null,
  contact: 'somebody@example.org',
  relayFamily: [],
  failureType: 'dns_fail',
  firstSeen: '2026-11-20T10:00:00.000Z',
  lastSeen: '2026-11-20T16:00:00.000Z',
  consecutiveCount: 5,
  openedAt: '2026-11-20T16:00:00.000Z',
  closedAt: null,
  toldAt: '2026-11-20T16:00:00.000Z',
  reminders: 0,
  runs: [KEPT_ID],
}

const MESSAGE: AlertMessage = {
  id: 'exits-20261120160000-new-ipv4',
  event: 'new',
  severity: 'medium',
  campaign: 'exits',
  createdAt: '2026-11-20T16:00:00.000Z',
  title: 'DNS at quokka fails',
  lines: [],
  items: [],
  tags: [],
  contacts: [],
}

interface Described {
  readonly operationId: string
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly requestBody?: unknown
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, { schema: object }>> }>>
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

/** What fills the parameters and bodies of the operations that need some. */
const ASKED: Readonly<Record<string, { readonly path?: string; readonly query?: string; readonly body?: unknown }>> = {
  getCampaign: { path: 'exits' },
  getRun: { path: KEPT_ID },
  stopRun: { path: '20261121001500' },
  getExit: { path: FINGERPRINT },
  listExitPoints: { path: FINGERPRINT },
  getExitHealth: { path: FINGERPRINT },
  listObservations: { query: `?fingerprint=${FINGERPRINT}` },
  groupExits: { query: '?by=as' },
  startRun: { body: { countries: ['DE'] } },
  startMeasurement: { body: { name: 'zone.example', resolver: '9.9.9.9' } },
  getMeasurement: { path: 'm1' },
  listIncidents: { query: '?status=open&since=2026-01-01T00:00:00Z' },
  getIncident: { path: INCIDENT.id },
  listAlertDeliveries: { query: '?state=waiting' },
  getSatelliteRun: { path: SATELLITE_RUN_ID },
  listSatelliteCells: { query: '?kind=country&limit=2' },
  listSatellitePairs: { query: '?country=XA&judgement=interference&limit=2' },
  getSatellitePair: { query: `?vp=${BLOCKED_PAIR.resolver}&domain=${BLOCKED_PAIR.domain}` },
  getCompatibleExit: { path: FINGERPRINT.toLowerCase() },
}

function keptReport(): ExitReport {
  const view = createRunView(40)
  if (view.metadata === null) throw new Error('the fixture is not finished')
  const results = view.results.map((result) => ({ ...result, run_id: KEPT_ID }))
  return {
    metadata: { ...view.metadata, run_id: KEPT_ID },
    results: results.toSorted((a, b) => (a.exit_fingerprint < b.exit_fingerprint ? -1 : 1)),
    failures: results.filter(({ status }) => status !== 'success'),
    dns_failures: [],
    failures_by_ip: {},
  }
}

describe('openapi.json', () => {
  const directory = mkdtempSync(join(tmpdir(), 'candor-test-'))
  let archive: ExitArchive
  let alerts: AlertStores
  let satellite: SatelliteStore
  let control: SettableControl
  let app: WebApp
  let document: Document

  beforeAll(async () => {
    archive = await openExitArchive(join(directory, 'history.db'))
    await archive.append(keptReport())
    alerts = await openAlertStores(directory, null)
    writeSatelliteRun(join(directory, 'satellite'))
    satellite = await openSatelliteArchive(directory)
    await satellite.adopt(join(directory, 'satellite'), 10)
    await alerts.incidents.commit({
      runId: KEPT_ID,
      shard: '0/1',
      states: new Map(),
      incidents: [INCIDENT],
      messages: [],
    })
    await alerts.outbox.add({ ...MESSAGE })
    await alerts.outbox.route(MESSAGE.id, [{ channel: 'mail', recipient: 'operator@example.org' }], 1_800_000_000_000)
    const runs = createSettableRun(LIVE)
    control = createSettableControl(runs)
    control.set({
      campaigns: [
        { ...control.campaigns()[0], runningId: '20261121001500' } as ReturnType<typeof control.campaigns>[0],
      ],
    })
    control.measure({ name: 'first.example', type: 'A', resolver: null, via: null })
    const tokens = [{ name: 'all', scopes: ['read', 'write'] as const, sha256: await digest(TOKEN), created_at: '' }]
    app = createWebApp({
      runs,
      published: NOTHING_PUBLISHED,
      detectors: NO_DOCUMENTS,
      clock: nodeClock,
      log: silentLog,
      isLaboratory: true,
      hosts: () => [],
      streamsMax: 1,
      version: '1.2.3',
      archive,
      satellite,
      control,
      incidents: alerts.incidents,
      outbox: alerts.outbox,
      access: { tokens: () => Promise.resolve(tokens), isReadProtected: () => false },
    })
    document = (await (await ask('GET', '/openapi.json')).json()) as Document
  })

  afterAll(async () => {
    await archive.close()
    satellite[Symbol.dispose]()
    await alerts[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })

  function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
    const init: RequestInit = { method, headers: { authorization: `Bearer ${TOKEN}`, ...type, ...headers } }
    if (body !== undefined) init.body = JSON.stringify(body)
    return Promise.resolve(app.fetch(new Request(`http://127.0.0.1${path}`, init)))
  }

  /** The operations, with the request that the table above makes of each. */
  function operations(): readonly { id: string; method: string; path: string; body: unknown; described: Described }[] {
    const asked = Object.entries(document.paths).filter(([path]) => !OTHERS.includes(path))
    return asked.flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]) => {
        const { path: value, query = '', body } = ASKED[described.operationId] ?? {}
        const filled = path.replace(/\{\w+\}/, value ?? 'missing') + query
        const sent = body ?? (described.requestBody === undefined ? undefined : {})
        return { id: described.operationId, method: method.toUpperCase(), path: filled, body: sent, described }
      }),
    )
  }

  /** What a part of the document lets through. */
  function schemaOf(schema: object): z.ZodType {
    const text = JSON.stringify({ ...schema, $defs: document.components.schemas })
    return z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as never)
  }

  test('describes operations of every resource that exists', () => {
    expect(document.openapi).toBe('3.1.1')
    expect(operations().map(({ id }) => id)).toMatchInlineSnapshot(`
      [
        "listCampaigns",
        "getCampaign",
        "listRuns",
        "startRun",
        "getCurrentRun",
        "getRun",
        "stopRun",
        "listVantages",
        "listObservations",
        "listFindings",
        "listIncidents",
        "getIncident",
        "getHealth",
        "getExitHealth",
        "listExits",
        "groupExits",
        "getExit",
        "listExitPoints",
        "startMeasurement",
        "getMeasurement",
        "listAlertChannels",
        "listAlertDeliveries",
        "getDaemon",
        "listSatelliteRuns",
        "getSatelliteRun",
        "listSatelliteCountries",
        "listSatelliteCells",
        "listSatellitePairs",
        "getSatellitePair",
        "getCompatibleStatus",
        "getCompatibleStats",
        "listCompatibleFailures",
        "listCompatibleRelays",
        "getCompatibleExit",
      ]
    `)
    const ids = operations().map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('is true for the answer of every operation', async () => {
    for (const { id, method, path, body, described } of operations()) {
      const response = await ask(method, path, body)
      const text = await response.text()
      const content = described.responses[String(response.status)]?.content['application/json']
      expect({ id, status: response.status, isDescribed: content !== undefined, text }).toMatchObject({
        isDescribed: true,
      })
      const parsed = schemaOf(content?.schema ?? {}).safeParse(JSON.parse(text))
      expect({ id, error: parsed.error?.message }).toEqual({ id, error: undefined })
    }
  })

  test.each(OTHERS)('names the type of what %s answers', async (path) => {
    const response = await ask('GET', path)
    const types = Object.keys(document.paths[path]?.['get']?.responses['200']?.content ?? {})
    expect(types).toEqual([response.headers.get('content-type')?.split(';')[0]])
    await response.body?.cancel()
  })

  test('is true for what is refused: unknown parameters, absent things, other methods', async () => {
    const problem = schemaOf(document.components.schemas['Problem'] ?? {})
    for (const { id, method, path, body, described } of operations()) {
      const wrong = await ask(method, `${path}${path.includes('?') ? '&' : '?'}colour=red`, body)
      const other = await ask('PUT', path)
      expect({ id, wrong: wrong.status, other: other.status }).toEqual({ id, wrong: 400, other: 405 })
      expect(described.responses['400']).toBeDefined()
      for (const response of [wrong, other]) {
        expect(problem.safeParse(await response.json()).error?.message).toBeUndefined()
        expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
      }
    }
  })

  test("gives out nobody's contact", async () => {
    for (const path of ['/api/v1/incidents', `/api/v1/incidents/${INCIDENT.id}`, '/api/v1/alerts/deliveries']) {
      expect(await (await ask('GET', path)).text()).not.toContain('@example.org')
    }
  })

  test('names the parameter that was probably meant', async () => {
    const response = await ask('GET', '/api/v1/exits?contry=DE')
    expect(await response.json()).toMatchObject({
      type: '/problems/bad-parameter',
      detail: 'There is no parameter "contry". Did you mean country?',
    })
  })

  test.each(['/api/v1/satellite', '/api/v1/monitors', '/api/v1/domains', '/api/v1/resolvers', '/api/v1/profiles'])(
    'has nothing at %s, which comes with its campaign',
    async (path) => {
      const response = await ask('GET', path)
      expect([response.status, await response.json()]).toMatchObject([404, { type: '/problems/not-found' }])
    },
  )

  test('lets caches keep what belongs to a closed run, and nothing else', async () => {
    const closed = await ask('GET', `/api/v1/exits?run=${KEPT_ID}`)
    const etag = closed.headers.get('etag') ?? ''
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/)
    expect(closed.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    const again = await ask('GET', `/api/v1/exits?run=${KEPT_ID}`, undefined, { 'if-none-match': `"x", ${etag}` })
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag])
    for (const path of ['/api/v1/exits', '/api/v1/exits?run=current', `/api/v1/exits?run=${LIVE.runId}`]) {
      const live = await ask('GET', path)
      expect([live.headers.get('cache-control'), live.headers.get('etag')]).toEqual(['no-store', null])
    }
  })

  test('calls a run that may be resumed neither closed nor immutable', async () => {
    const { metadata, results, ...report } = keptReport()
    const runId = '20261120100000'
    const interrupted = { ...metadata, run_id: runId, interrupted: true }
    await archive.append({
      ...report,
      metadata: interrupted,
      results: results.map((one) => ({ ...one, run_id: runId })),
    })
    const run = await ask('GET', `/api/v1/runs/${runId}`)
    expect([run.headers.get('cache-control'), await run.json()]).toMatchObject(['no-store', { state: 'interrupted' }])
    expect((await ask('GET', `/api/v1/exits?run=${runId}`)).headers.get('etag')).toBeNull()
  })

  test('answers HEAD as GET, without a body', async () => {
    for (const { method, path } of operations()) {
      if (method !== 'GET') continue
      const get = await ask('GET', path)
      const head = await ask('HEAD', path)
      expect({ path, status: head.status, text: await head.text() }).toEqual({ path, status: get.status, text: '' })
      expect([...head.headers.keys()]).toEqual([...get.headers.keys()])
    }
  })

  test('lets pages of other origins read, and not give orders', async () => {
    const read = await ask('GET', '/api/v1/runs')
    expect(read.headers.get('access-control-allow-origin')).toBe('*')
    const preflight = await ask('OPTIONS', '/api/v1/runs', undefined, { 'access-control-request-method': 'POST' })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, HEAD')
    expect(preflight.headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS')
    const order = await ask('POST', '/api/v1/runs', {})
    expect([order.status, order.headers.get('access-control-allow-origin')]).toEqual([202, null])
    expect(order.headers.get('location')).toBe('/api/v1/runs/20261121001500')
  })
})
