/** Runs for the dashboard: forty of them, six hours apart, one invalid, the newest with every kind of verdict. */
import { formatCompactTime, formatIsoTime } from '../../src/core/clock.ts'
import { createRunView } from '../web-fixtures/exit-run-fixture.ts'
import type { PagesSite } from './pages-site.ts'

const RUNS = 40
const RUN_MS = 6 * 3_600_000
const NETWORKS = ['AS24940 Hetzner Online GmbH', 'AS60729 Stiftung Erneuerbare Freiheit', 'AS53667 FranTech Solutions']
const OPERATORS = ['relays.example', null, 'a-rather-long-operator-name.library.example']

/** Publishes the runs into the first bucket. @returns Names of the reports, newest first. */
export async function seedPages(site: PagesSite, endsAtMs: number): Promise<readonly string[]> {
  const put = (key: string, content: string): Promise<void> =>
    site.put('ONE', key, { octets: new TextEncoder().encode(content), headers: {} })
  const names: string[] = []
  for (let run = 0; run < RUNS; run++) {
    const runId = formatCompactTime(endsAtMs - run * RUN_MS)
    const report = createReport(run, runId, endsAtMs - run * RUN_MS)
    const name = `dnshealth_${runId.slice(0, 8)}_${runId.slice(8)}.json`
    names.push(name)
    await put(name, report)
    await put(`report_${runId.slice(0, 8)}_${runId.slice(8)}.md`, '# DNS Health Report\n')
    if (run === 0) await put('latest.json', report)
  }
  await put('files.json', JSON.stringify(names))
  await put('files-all.json', JSON.stringify(names))
  return names
}

function createReport(run: number, runId: string, startedAtMs: number): string {
  const { results: every, metadata } = createRunView(40)
  // Some failures come and go, so that the trend has something to show.
  const results = every.map((result, index) => {
    const isFailing = ['wrong_ip', 'dns_fail', 'timeout'].includes(result.status)
    const isWell = isFailing && (run * 7 + index * 3) % 11 < (run === 0 ? 0 : 5)
    return {
      ...result,
      ...(isWell ? { status: 'success', error_code: null } : {}),
      as: NETWORKS[index % NETWORKS.length],
      operator: OPERATORS[index % OPERATORS.length],
      // Two exits behind one address.
      exit_address: index === 3 ? '127.21.0.1' : result.exit_address,
      consecutive_failures: isFailing && !isWell ? 1 + ((index * 5) % 9) : 0,
      last_seen: formatIsoTime(startedAtMs),
    }
  })
  const count = (status: string): number => results.filter((result) => result.status === status).length
  const [success, wrong_ip, dns_fail, timeout] = ['success', 'wrong_ip', 'dns_fail', 'timeout'].map(count)
  const counts = {
    success,
    wrong_ip,
    dns_fail,
    timeout,
    dns_tested: [success, wrong_ip, dns_fail, timeout].reduce<number>((sum, part) => sum + (part ?? 0), 0),
  }
  const own = {
    run_id: runId,
    started_at: formatIsoTime(startedAtMs),
    total_relays: 38,
    ...counts,
    invalid: run === 9 ? 'The control through our own resolver failed.' : null,
  }
  return JSON.stringify({ metadata: { ...metadata, ...own }, results }, null, 2)
}
