/** `candor bulk` against a responder that misbehaves: every name gets its one record, whatever happens on the way. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { drawOddity, hashQuestion, type Oddity, type OddityShares, trueAddress } from '../../bench/draw-oddity.ts'
import { hasCompiler, type ResponderCounters, startResponder } from '../../bench/responder.ts'
import { TYPE_A } from '../../src/dns/rr-type.ts'
import { makeTemporaryDirectory } from '../contract/temporary-directory.ts'
import {
  bulkArguments,
  type BulkFiles,
  type BulkRecord,
  type BulkStatus,
  CANDOR,
  countNames,
  listBackends,
  nameOf,
  readRecords,
  readStatus,
  sizeOf,
  startProgram,
  startBulk,
  writeInput,
} from './bulk-command.ts'

const SEED = 7
const NAMES = 50_000
const RESOLVERS = 20
/** A machine that stops for less than this does not make a query be sent twice. */
const TIMEOUT_MS = 700
const RETRIES = 2
const TRIES = RETRIES + 1
const ALL: OddityShares = {
  'loss-in': 0.05,
  'loss-out': 0.05,
  reorder: 0.05,
  duplicate: 0.02,
  'wrong-id': 0.02,
  'wrong-source': 0.02,
  'wrong-question': 0.02,
  truncate: 0.02,
  malformed: 0.03,
  delay: 0.02,
  nxdomain: 0.1,
}
const isFull = process.env['CANDOR_TEST_FULL'] === '1'
/** Of these, one in twenty is lost each way. */
const LOSS_NAMES = isFull ? 1_000_000 : NAMES
/** What is killed and what fills disks lasts for some seconds, in which the journal moves on; in the full test, minutes. */
const LONG_NAMES = isFull ? 10_000_000 : 120_000
const LONG_PACE = isFull ? [] : ['--rate=30000']
const LONG_TEST_MS = isFull ? 1_800_000 : 120_000
/** One record is at least so long. */
const RECORD_OCTETS_MIN = 250
const DISK_MEBIBYTES = isFull ? { small: 1000, large: 6000 } : { small: 24, large: 256 }
const LOSS: OddityShares = { 'loss-in': 0.05, 'loss-out': 0.05 }
const backends = hasCompiler() ? listBackends() : []
const canMount =
  spawnSync('unshare', ['--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0

/**
 * A disk of its own that is too small, then large enough; it goes away with the script.
 */
const FULL_DISK_SCRIPT = `
directory=$1; shift
mount -t tmpfs -o size=${DISK_MEBIBYTES.small}m none "$0"
"$@"; echo "status $?" >>"$directory/outcome"
mount -o remount,size=${DISK_MEBIBYTES.large}m "$0"
"$@"; echo "status $?" >>"$directory/outcome"
cp "$0/records" "$directory/saved"`

const resolversAt = (port: number): readonly string[] =>
  Array.from({ length: RESOLVERS }, (_, at) => `127.0.${1 + at}.53#${port}`)

/** The record that a name must get, computed from the draws of the responder. */
function expectRecord(name: string, shares: OddityShares): Pick<BulkRecord, 'status' | 'tries'> & { answer: string } {
  const hash = hashQuestion(name, TYPE_A)
  const draws = (oddity: Oddity, attempt: number): boolean => drawOddity(SEED, shares, oddity, hash, attempt)
  const isTruncated = draws('truncate', 0)
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if (draws('loss-in', attempt) || draws('loss-out', attempt)) continue
    if (!isTruncated && draws('malformed', attempt)) continue
    const isNxdomain = draws('nxdomain', 0)
    const answer = `${isTruncated ? 'TCP' : 'UDP'} ${isNxdomain ? 'nothing' : trueAddress(hash)}`
    return { status: isNxdomain ? 'NXDOMAIN' : 'NOERROR', tries: attempt + 1, answer }
  }
  return { status: 'TIMEOUT', tries: TRIES, answer: 'UDP nothing' }
}

function summarize({ status, tries, proto, data }: BulkRecord): ReturnType<typeof expectRecord> {
  return { status, tries, answer: `${proto} ${data.answers?.map((record) => record.data).join(' ') ?? 'nothing'}` }
}

interface Outcome {
  readonly files: BulkFiles
  readonly records: ReadonlyMap<string, BulkRecord>
  readonly status: BulkStatus
  readonly responder: ResponderCounters
}

async function runAgainst(shares: OddityShares, backend: string, more: readonly string[] = []): Promise<Outcome> {
  await using responder = await startResponder({ shares, seed: SEED, delayMs: 200 })
  const files = writeInput(makeTemporaryDirectory(), NAMES, resolversAt(responder.port))
  const options = [`--backend=${backend}`, '--seed=faults', `--timeout=${TIMEOUT_MS}`, `--retries=${RETRIES}`, ...more]
  expect(await startBulk(files, options).ended).toEqual({ status: 0, stderr: '' })
  const records = readRecords(join(files.directory, 'records'))
  return { files, records, status: readStatus(files), responder: await responder.stop() }
}

const namesOf = ({ count }: BulkFiles): readonly string[] => Array.from({ length: count }, (_, index) => nameOf(index))

const get = (records: Outcome['records'] | undefined, name: string): BulkRecord | undefined => records?.get(`${name}.`)

const isSame = (name: string, records: Outcome['records'], shares: OddityShares): boolean => {
  const record = get(records, name)
  return record !== undefined && isDeepStrictEqual(summarize(record), expectRecord(name, shares))
}

/** How often what the client counts must have happened, computed like the records. */
function expectCounters(names: readonly string[], shares: OddityShares): Readonly<Record<string, number>> {
  const sums = { queries: 0, wrong: 0, wrong_source: 0, malformed: 0, duplicate: 0, truncated: 0, unanswered: 0 }
  for (const name of names) {
    const hash = hashQuestion(name, TYPE_A)
    const draws = (oddity: Oddity, attempt: number): number => (drawOddity(SEED, shares, oddity, hash, attempt) ? 1 : 0)
    const { status, tries } = expectRecord(name, shares)
    sums.queries += tries
    if (status === 'TIMEOUT') sums.unanswered++
    for (let attempt = 0; attempt < tries; attempt++) {
      if (draws('loss-in', attempt) === 1) continue
      sums.wrong += draws('wrong-id', attempt) + draws('wrong-question', attempt)
      sums.wrong_source += draws('wrong-source', attempt)
      if (draws('loss-out', attempt) === 1) continue
      const duplicates = draws('duplicate', attempt)
      if (draws('truncate', 0) === 0 && draws('malformed', attempt) === 1) sums.malformed += 1 + duplicates
      else sums.duplicate += duplicates
      if (draws('truncate', 0) === 1) sums.truncated++
    }
  }
  return sums
}

function readCounters(status: BulkStatus): Readonly<Record<string, number>> {
  const of = (field: string): number => status[field] as number
  return {
    queries: of('first_sends') + of('retransmissions'),
    // A wrong id may be the id of another query to the same resolver, and then it is the question that differs.
    wrong: of('wrong_id') + of('wrong_question'),
    wrong_source: of('wrong_source'),
    malformed: of('malformed'),
    duplicate: of('duplicate'),
    truncated: of('truncated'),
    unanswered: of('unanswered'),
  }
}

// A machine that stops for that long makes queries be sent again that were not lost; hence the second chance.
const patient = { retry: 1 }

describe.skipIf(backends.length === 0)('candor bulk (needs gcc: apt-get install gcc)', () => {
  test(
    'gives every name its computed record and counts the oddities, the same over every backend',
    patient,
    async () => {
      const outcomes = await runInTurn(backends, (backend) => runAgainst(ALL, backend, ['--strangers']))
      for (const { files, records, status } of outcomes) {
        expect(records.size).toBe(NAMES)
        expect(namesOf(files).filter((name) => !isSame(name, records, ALL))).toEqual([])
        expect(readCounters(status)).toEqual(expectCounters(namesOf(files), ALL))
        expect(
          namesOf(files).filter((name) => !isDeepStrictEqual(get(records, name), get(outcomes[0]?.records, name))),
        ).toEqual([])
      }
    },
  )

  test.each(backends)(
    'keeps within the bounds when one in twenty is lost each way, over %s',
    patient,
    async (backend) => {
      await using responder = await startResponder({ shares: LOSS, seed: SEED })
      const files = writeInput(makeTemporaryDirectory(), LOSS_NAMES, resolversAt(responder.port))
      const options = [`--backend=${backend}`, '--seed=faults', `--timeout=${TIMEOUT_MS}`, `--retries=${RETRIES}`]
      expect(await startBulk(files, options).ended).toEqual({ status: 0, stderr: '' })
      const { unanswered, ...counts } = await countNames(join(files.directory, 'records'), LOSS_NAMES)
      expect(counts).toEqual({ missing: 0, once: LOSS_NAMES, repeated: 0 })
      const status = readStatus(files)
      const lost = 1 - 0.95 * 0.95
      expect(unanswered).toBe(status['unanswered'])
      expect(unanswered).toBeLessThanOrEqual(2 * LOSS_NAMES * lost ** TRIES)
      const expected = LOSS_NAMES * (lost + lost ** 2)
      expect(status['retransmissions']).toBeGreaterThan(0.9 * expected)
      expect(status['retransmissions']).toBeLessThan(1.1 * expected)
      expect((await responder.stop()).queries).toBe(LOSS_NAMES + (status['retransmissions'] as number))
      expect(status['tail_ms']).toBeLessThanOrEqual(2 * TIMEOUT_MS * (2 ** TRIES - 1))
    },
  )

  test('loses no name and repeats none after kill -9 twice', { timeout: LONG_TEST_MS }, async () => {
    await using responder = await startResponder({ shares: LOSS, seed: SEED })
    const files = writeInput(makeTemporaryDirectory(), LONG_NAMES, resolversAt(responder.port))
    const output = join(files.directory, 'records')
    for (let kills = 1; kills <= 2; kills++) {
      const { child, ended } = startBulk(files, [...LONG_PACE, '--resume'])
      const before = readJournal(output)
      const wantedOctets = (kills / 4) * LONG_NAMES * RECORD_OCTETS_MIN
      // Not before the journal has moved on, and there is more in the output than it says.
      const isEarly = (): boolean =>
        readJournal(output) === before || sizeOf(output) <= Math.max(wantedOctets, journalled(output))
      while (child.exitCode === null && isEarly()) await sleep(50)
      expect(child.exitCode).toBeNull()
      child.kill('SIGKILL')
      await ended
    }
    expect(await startBulk(files, [...LONG_PACE, '--resume']).ended).toMatchObject({ status: 0 })
    expect(await countNames(output, LONG_NAMES)).toMatchObject({ missing: 0, once: LONG_NAMES, repeated: 0 })
    expect(JSON.parse(readJournal(output))).toMatchObject({ complete: true, unfinished: [] })
  })

  test.skipIf(!canMount)(
    'ends with status 1 on a full disk and resumes (needs unshare and mount)',
    { timeout: LONG_TEST_MS },
    async () => {
      await using responder = await startResponder({ seed: SEED })
      const files = writeInput(makeTemporaryDirectory(), LONG_NAMES, resolversAt(responder.port))
      const disk = join(files.directory, 'disk')
      mkdirSync(disk)
      const command = [CANDOR, ...bulkArguments(files, [`--output=${join(disk, 'records')}`, ...LONG_PACE, '--resume'])]
      const script = ['--map-root-user', '--mount', 'sh', '-c', FULL_DISK_SCRIPT, disk, files.directory, ...command]
      expect((await startProgram('unshare', script).ended).stderr).toContain('disk is full')
      expect(readFileSync(join(files.directory, 'outcome'), 'utf8')).toBe('status 1\nstatus 0\n')
      const saved = join(files.directory, 'saved')
      expect(await countNames(saved, LONG_NAMES)).toMatchObject({ missing: 0, once: LONG_NAMES, repeated: 0 })
      // The second run went on where the journal said: had it begun anew, it would have asked for all names again.
      expect((await responder.stop()).queries).toBeLessThan(1.9 * LONG_NAMES)
    },
  )
})

async function runInTurn<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  for (const item of items) results.push(await run(item))
  return results
}

function readJournal(output: string): string {
  return existsSync(`${output}.journal`) ? readFileSync(`${output}.journal`, 'utf8') : ''
}

/** How much of the output the journal vouches for. */
function journalled(output: string): number {
  return (JSON.parse(readJournal(output)) as { readonly output_octets: number }).output_octets
}
