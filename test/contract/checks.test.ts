/** `/healthz`, `/readyz` and `/metrics`, and pages where reading needs a token. */
import { describe, expect, test } from 'vitest'
import { digest } from '../../src/api/access.ts'
import { silentLog } from '../../src/core/log.ts'
import { NO_DOCUMENTS } from '../../src/model/document-source.ts'
import type { Machine } from '../../src/model/machine.ts'
import { NOTHING_PUBLISHED } from '../../src/model/published-source.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { createNodeMachine } from '../../src/platform/node-machine.ts'
import { createWebApp, type WebApp } from '../../src/web/create-web-app.ts'
import { createVirtualClock, type VirtualClock } from '../sim/virtual-clock.ts'
import { createRunView } from '../web-fixtures/exit-run-fixture.ts'
import { createSettableControl, type SettableControl } from '../web-fixtures/settable-control.ts'
import { createSettableRun } from '../web-fixtures/settable-run.ts'

interface Parts {
  readonly clock?: VirtualClock
  readonly machine?: Machine
  readonly isReadProtected?: boolean
}

function createApp({ clock, machine, isReadProtected = false }: Parts): {
  readonly app: WebApp
  readonly control: SettableControl
} {
  const runs = createSettableRun(createRunView(40))
  const control = createSettableControl(runs)
  const app = createWebApp({
    runs,
    published: NOTHING_PUBLISHED,
    detectors: NO_DOCUMENTS,
    clock: clock ?? nodeClock,
    log: silentLog,
    isLaboratory: false,
    hosts: () => [],
    streamsMax: 1,
    version: '1.2.3',
    control,
    machine: machine ?? createNodeMachine('.'),
    access: {
      tokens: async () => [{ name: 'one', scopes: ['read'], sha256: await digest('right'), created_at: '' }],
      isReadProtected: () => isReadProtected,
    },
  })
  return { app, control }
}

async function get(app: WebApp, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return app.fetch(new Request(`http://127.0.0.1${path}`, { headers }))
}

/** Two hours before the run that the idle daemon plans. */
function earlyClock(): VirtualClock {
  return createVirtualClock(Date.parse('2026-11-20T22:15:00Z'))
}

describe('/readyz', () => {
  test('is ready while everything is right', async () => {
    const response = await get(createApp({ clock: earlyClock() }).app, '/readyz')
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { status: 'ready', checks: [{ name: 'disk' }, { name: 'schedule' }, { name: 'daemon' }] },
    ])
  })

  test('says that a planned run is overdue', async () => {
    const clock = earlyClock()
    const { app } = createApp({ clock })
    await clock.advance(3 * 3_600_000 + 1)
    const response = await get(app, '/readyz')
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { status: 'not_ready', checks: [{}, { name: 'schedule', ok: false }, {}] },
    ])
  })

  test('says that the disk is full, and what the daemon finds wrong', async () => {
    const machine: Machine = { residentOctets: () => 1, freeOctets: () => Promise.resolve(1_048_576) }
    const { app, control } = createApp({ clock: earlyClock(), machine })
    control.set({ problems: ['The disk is full.'] })
    expect(await (await get(app, '/readyz')).json()).toMatchObject({
      checks: [
        { name: 'disk', ok: false, message: 'Only 1 MiB are free on the disk of the data directory; 64 are needed.' },
        { name: 'schedule', ok: true },
        { name: 'daemon', ok: false, message: 'The disk is full.' },
      ],
    })
  })
})

describe('/metrics', () => {
  test('is the text format: each metric once, with help and type, labels from closed lists', async () => {
    const { app } = createApp({})
    for (const path of ['/', '/nothing', '/api/v1/runs/current', `/${'x'.repeat(2_000)}`]) await get(app, path)
    const response = await get(app, '/metrics')
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const text = await response.text()
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(
        /^(?:# (?:HELP|TYPE) [a-z_0-9]+ .+|[a-z_0-9]+(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? -?[\d.e+]+)$/,
      )
    }
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(text).toContain('candor_exits_relays{status="success"} 24\n')
    expect(text).toContain('candor_build_info{version="1.2.3"} 1\n')
    expect(text).toContain('candor_http_requests_total{door="pages",class="4xx"} 2\n')
    expect(text).toContain('candor_http_requests_total{door="api",class="2xx"} 1\n')
    expect(text).toMatch(/^process_resident_memory_bytes \d{7,}$/m)
    expect(text).toContain('candor_campaign_running{campaign="exits"} 0\n')
  })
})

describe('protected reading', () => {
  const paths = [
    '/',
    '/api/v1/exits',
    '/api/v1/events',
    '/metrics',
    '/readyz',
    '/latest.json',
    '/assets/candor.css',
    '/how',
  ]

  test.each(paths)('gives %s to whoever has a token only', async (path) => {
    const { app } = createApp({ isReadProtected: true })
    const refused = await get(app, path)
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="candor", Basic realm="candor", charset="UTF-8"',
    ])
    const granted = await get(app, path, { authorization: `Basic ${btoa('me:right')}` })
    expect(granted.status).not.toBe(401)
    await granted.body?.cancel()
  })

  test('tells everybody that the process is alive', async () => {
    expect((await get(createApp({ isReadProtected: true }).app, '/healthz')).status).toBe(200)
  })

  test('keeps what needs a token out of shared caches', async () => {
    const { app } = createApp({ isReadProtected: true })
    const headers = { authorization: 'Bearer right' }
    const response = await get(app, '/api/v1/runs/20261120221806', headers)
    expect(response.headers.get('cache-control')).toBe('private, max-age=31536000, immutable')
  })
})
