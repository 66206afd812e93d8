/** A daemon as pages see it: a schedule, open and ended incidents made of what an archive has, channels and messages. */
import { formatIsoTime } from '../../src/core/clock.ts'
import type { AlertOutbox, DeliveryState } from '../../src/model/alert.ts'
import type { DaemonControl, DaemonStatus } from '../../src/model/daemon-control.ts'
import type { ExitArchive, ExitRow } from '../../src/model/exit-archive.ts'
import type { ExitIncident } from '../../src/model/incident.ts'
import { createBuildingView } from './exit-run-fixture.ts'
import { createSettableRun } from './settable-run.ts'
import type { ArchiveUsage, RetentionPolicy } from '../../src/model/retention.ts'
import type { KeepingSource } from '../../src/web/system-page.ts'
import type { IncidentReader } from '../../src/web/incidents-page.ts'

const HOUR_MS = 3_600_000
/** Failures in a row that open an incident. */
const FAILURES_MIN = 5

const POLICY: RetentionPolicy = {
  evidenceDays: 30,
  failureEvidenceDays: 90,
  rowDays: 400,
  relayDayDays: 800,
  budgetOctets: 2_000_000_000,
}

/** What a site is given besides the archive. */
export interface DaemonFixture {
  readonly control: DaemonControl
  readonly incidents: IncidentReader
  readonly outbox: Pick<AlertOutbox, 'status' | 'list'>
  readonly keeping: KeepingSource
}

/** Makes it; `nowMs` is milliseconds since the epoch. */
export async function createDaemonFixture(archive: ExitArchive, nowMs: number): Promise<DaemonFixture> {
  const latest = await archive.latest()
  const rows = (await archive.rows(latest?.runId ?? '')) ?? []
  const open = rows.filter(isLongFailing).map((row) => createIncident(row, nowMs, 'open'))
  const ended = rows
    .filter((_, index) => index % 40 === 11)
    .map((row, index) =>
      createIncident(row, nowMs - (1 + (index % 80)) * 9 * HOUR_MS, index % 9 === 8 ? 'lapsed' : 'recovered'),
    )
  const all = [...open, ...ended].toSorted((a, b) => (a.openedAt < b.openedAt ? 1 : -1))
  return {
    incidents: {
      list: ({ status, since, fingerprint, limit }) =>
        Promise.resolve(
          all
            .filter((incident) => status === undefined || (incident.status === 'open') === (status === 'open'))
            .filter(({ closedAt }) => since === undefined || closedAt === null || closedAt >= since)
            .filter((incident) => fingerprint === undefined || incident.fingerprint === fingerprint)
            .slice(0, limit),
        ),
    },
    control: {
      live: createSettableRun(createBuildingView('No run goes on.')),
      startRun: () =>
        Promise.resolve({ started: false, reason: 'not_configured', message: 'this daemon is a fixture' }),
      stopRun: () => false,
      measure: () => undefined,
      measurement: () => undefined,
      status: () => createStatus(nowMs),
      campaigns: () => [
        {
          campaign: 'exits',
          schedule: '15 */6 * * *',
          nextRunAt: formatIsoTime(nowMs + 2.2 * HOUR_MS),
          runningId: null,
          last: latest === undefined ? null : { runId: latest.runId, outcome: 'complete', message: null },
        },
      ],
    },
    keeping: { usage: () => countRuns(archive), policy: () => POLICY },
    outbox: {
      status: () => Promise.resolve(createChannels(nowMs)),
      list: (states, limit) => Promise.resolve(createDeliveries(all, nowMs, states).slice(0, limit)),
    },
  }
}

async function countRuns(archive: ExitArchive): Promise<ArchiveUsage> {
  const runs = await archive.runs(null, 10_000)
  return {
    runs: runs.length,
    invalidRuns: runs.filter(({ metadata }) => metadata.invalid !== null).length,
    oldestRun: runs.at(-1)?.runId ?? null,
    newestRun: runs[0]?.runId ?? null,
    runsWithRows: runs.filter(({ hasRows }) => hasRows).length,
    runsWithEvidence: runs.filter(({ evidence }) => evidence === 'all').length,
    runsWithFailureEvidence: runs.filter(({ evidence }) => evidence !== 'none').length,
    relays: 200,
    usedOctets: 1_700_000_000,
    fileOctets: 1_800_000_000,
  }
}

function isLongFailing({ status, consecutive_failures }: ExitRow): boolean {
  return (
    (status === 'wrong_ip' || status === 'dns_fail' || status === 'timeout') && consecutive_failures >= FAILURES_MIN
  )
}

function createIncident(row: ExitRow, nowMs: number, status: ExitIncident['status']): ExitIncident {
  const failures = Math.max(FAILURES_MIN, row.consecutive_failures)
  const firstMs = nowMs - failures * 6 * HOUR_MS
  const openedMs = firstMs + (FAILURES_MIN - 1) * 6 * HOUR_MS
  const digits = formatIsoTime(openedMs).replaceAll(/\D/g, '').slice(0, 14)
  return {
    id: `exits-${row.exit_fingerprint}-ipv4-${digits}`,
    campaign: 'exits',
    fingerprint: row.exit_fingerprint,
    family: 'ipv4',
    status,
    severity: row.status === 'wrong_ip' ? 'high' : 'medium',
    nickname: row.exit_nickname,
    exitAddress: row.exit_address,
    operator: row.operator,
    contact: null,
    relayFamily: row.family,
    failureType: row.status === 'success' ? 'dns_fail' : row.status,
    firstSeen: formatIsoTime(firstMs),
    lastSeen: formatIsoTime(nowMs - 3 * HOUR_MS),
    consecutiveCount: failures,
    openedAt: formatIsoTime(openedMs),
    closedAt: status === 'open' ? null : formatIsoTime(nowMs),
    toldAt: formatIsoTime(nowMs - 3 * HOUR_MS),
    reminders: Math.floor(failures / 28),
    runs: [row.run_id],
  }
}

function createStatus(nowMs: number): DaemonStatus {
  return {
    version: '0.1.0',
    startedAt: formatIsoTime(nowMs - 80 * HOUR_MS),
    configuration: {
      loadedAt: formatIsoTime(nowMs - 80 * HOUR_MS),
      refused: {
        place: 'candor.toml:14, serve.schedule',
        message: '"every day" is no cron expression',
        hint: 'For each day at 03:00: schedule = "0 3 * * *"',
      },
      restartNeeded: ['serve.listen'],
    },
    stores: [{ name: 'r2', syncedAt: '2026-11-20T22:15:00.000Z', failure: null }],
    archive: { usedOctets: 52_428_800, budgetOctets: 5_368_709_120, retainedAt: null },
    pendingSteps: [
      { runId: '20261120181500', step: 'publication', attempts: 3, message: 'the store "r2" answered 503' },
    ],
    problems: [],
  }
}

function createChannels(nowMs: number): Awaited<ReturnType<AlertOutbox['status']>> {
  const base = { waiting: 0, dead: 0, oldestWaitingAtMs: null, lastError: null, lastErrorAtMs: null }
  return [
    { ...base, channel: 'operators', sent: 214, lastSentAtMs: nowMs - 3 * HOUR_MS },
    {
      ...base,
      channel: 'webhook-of-the-lab',
      sent: 3,
      waiting: 2,
      dead: 1,
      oldestWaitingAtMs: nowMs - 5 * HOUR_MS,
      lastError: 'the server answered 500',
      lastErrorAtMs: nowMs - HOUR_MS,
      lastSentAtMs: null,
    },
  ]
}

function createDeliveries(
  incidents: readonly ExitIncident[],
  nowMs: number,
  states: readonly DeliveryState[],
): Awaited<ReturnType<AlertOutbox['list']>> {
  return incidents
    .map((incident, index) => ({
      sequence: index,
      messageId: `exits-20261120181500-new-ipv4-${incident.fingerprint}`,
      channel: index % 7 === 6 ? 'webhook-of-the-lab' : 'operators',
      recipient: '',
      state: index % 7 === 6 ? ('dead' as const) : ('sent' as const),
      attempts: index % 7 === 6 ? 12 : 1,
      partsDone: index % 7 === 6 ? 0 : 1,
      createdAtMs: nowMs - 30 * HOUR_MS,
      dueAtMs: nowMs - 30 * HOUR_MS,
      settledAtMs: nowMs - 29 * HOUR_MS,
      error: index % 7 === 6 ? 'the server answered 500' : null,
      title: `DNS fails at ${incident.nickname}`,
    }))
    .filter(({ state }) => states.includes(state))
}
