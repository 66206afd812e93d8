/** The programs that are measured: how each is started, and how many names it says it completed. */
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a client is to do. */
export interface BenchTask {
  /** One name per line. */
  readonly namesFile: string
  /** One `NAME A` per line, which is what dnsperf reads. */
  readonly queriesFile: string
  readonly names: number
  readonly resolvers: readonly string[]
  readonly port: number
  /** Where it may write. */
  readonly directory: string
  /** The command `candor`, as the published package has it. */
  readonly candor: readonly string[]
}

/** One program with one way of running it. */
export interface BenchClient {
  /** As the table shows it. */
  readonly label: string
  /** How many resolvers it is given. */
  readonly resolvers: number
  /** Whether the responder takes runs uncut, as a network card with segmentation would. */
  readonly isUncut?: boolean
  /** The command and its arguments. */
  command(task: BenchTask): readonly string[]
  /** How many names were answered, by the client's own output. */
  completed(task: BenchTask): number
}

/** What the floor sends in one piece when it sends segmented. */
const RUN_QUERIES = 16

/** Which programs are at hand. */
export interface BenchPrograms {
  readonly dnsperf?: string | undefined
  readonly massdns?: string | undefined
  readonly zdns?: string | undefined
  /** The least that a client can cost: floor.c, built. */
  readonly floor: string
  /** The ways in which Candor can send on this machine. */
  readonly backends: readonly string[]
}

/** The baseline: every ratio is to this client. */
export const BASELINE = 'dnsperf, 1 resolver'

/** The clients to be run, the baseline first when it is there. */
export function listClients(programs: BenchPrograms, resolverCounts: readonly number[]): readonly BenchClient[] {
  const { dnsperf, massdns, zdns, floor, backends } = programs
  return [
    // With many in flight it loses answers, and looks for them without a pause until they time out.
    ...(dnsperf === undefined
      ? []
      : [
          createDnsperf(dnsperf, BASELINE, []),
          createDnsperf(dnsperf, 'dnsperf -q 10000, 1 resolver', ['-q', '10000']),
        ]),
    ...resolverCounts.flatMap((resolvers) => [
      ...backends.map((backend) => createCandor(backend, resolvers)),
      ...(backends.includes('segmented') ? [uncut(createCandor('segmented', resolvers))] : []),
      // The floor costs the same for one resolver and for many.
      ...(resolvers === Math.max(...resolverCounts) ? listFloors(floor, resolvers) : []),
      ...(massdns === undefined ? [] : [createMassdns(massdns, resolvers)]),
      ...(zdns === undefined ? [] : [createZdns(zdns, resolvers)]),
    ]),
  ]
}

function listFloors(floor: string, resolvers: number): readonly BenchClient[] {
  const segmented = createFloor(floor, resolvers, RUN_QUERIES)
  return [createFloor(floor, resolvers, 1), segmented, uncut(segmented)]
}

function uncut(client: BenchClient): BenchClient {
  return { ...client, label: `${client.label}, uncut`, isUncut: true }
}

const outputOf = (task: BenchTask): string => join(task.directory, 'output')

/** The shipped command: retries, octet checks and JSON Lines on. */
function createCandor(backend: string, resolvers: number): BenchClient {
  return {
    label: `candor bulk ${backend}, ${countResolvers(resolvers)}`,
    resolvers,
    command: (task) => [
      ...task.candor,
      'bulk',
      '--names',
      task.namesFile,
      '--type',
      'A',
      '--resolvers',
      writeResolvers(task, '#'),
      '--backend',
      backend,
      '--output',
      outputOf(task),
      '--format',
      'jsonl',
      '--quiet',
    ],
    completed: (task) => countLines(outputOf(task), '"status":"NOERROR"'),
  }
}

function createFloor(program: string, resolvers: number, run: number): BenchClient {
  return {
    label: `floor${run === 1 ? '' : ' segmented'}, ${countResolvers(resolvers)}`,
    resolvers,
    command: (task) => [program, ...[task.port, resolvers, task.names, run].map(String)],
    completed: readCompleted,
  }
}

function readCompleted(task: BenchTask): number {
  return Number(/completed:\s+(\d+)/.exec(readFileSync(join(task.directory, 'stdout'), 'utf8'))?.[1])
}

/** With its defaults: 100 queries in flight over one socket, one thread that sends and one that receives. */
function createDnsperf(program: string, label: string, options: readonly string[]): BenchClient {
  return {
    label,
    resolvers: 1,
    command: (task) => [
      program,
      '-s',
      task.resolvers[0] as string,
      '-p',
      String(task.port),
      '-d',
      task.queriesFile,
      '-n',
      '1',
      ...options,
    ],
    completed: readCompleted,
  }
}

function createMassdns(program: string, resolvers: number): BenchClient {
  return {
    label: `massdns, ${countResolvers(resolvers)}`,
    resolvers,
    command: (task) => [
      program,
      '-r',
      writeResolvers(task, ':'),
      '-t',
      'A',
      '-o',
      'J',
      '-w',
      outputOf(task),
      '-q',
      task.namesFile,
    ],
    completed: (task) => countLines(outputOf(task), '"status":"NOERROR"'),
  }
}

function createZdns(program: string, resolvers: number): BenchClient {
  return {
    label: `zdns, ${countResolvers(resolvers)}`,
    resolvers,
    command: (task) => [
      program,
      'A',
      '--name-servers',
      task.resolvers.map((address) => `${address}:${task.port}`).join(','),
      '--input-file',
      task.namesFile,
      '--output-file',
      outputOf(task),
    ],
    completed: (task) => countLines(outputOf(task), '"status":"NOERROR"'),
  }
}

function countResolvers(count: number): string {
  return count === 1 ? '1 resolver' : `${count} resolvers`
}

/** One resolver per line, with its port behind the mark that the client wants. */
function writeResolvers(task: BenchTask, mark: string): string {
  const file = join(task.directory, 'resolvers')
  writeFileSync(file, task.resolvers.map((address) => `${address}${mark}${task.port}\n`).join(''))
  return file
}

/** Counts the lines that contain a text, without holding the file. */
function countLines(file: string, text: string): number {
  const chunk = Buffer.alloc(4 * 2 ** 20)
  const descriptor = openSync(file, 'r')
  let lines = 0
  let kept = 0
  for (;;) {
    const size = readSync(descriptor, chunk, kept, chunk.length - kept, null) + kept
    const end = chunk.subarray(0, size).lastIndexOf(0x0a) + 1
    if (end === 0) break
    let start = 0
    while (start < end) {
      const next = chunk.indexOf(0x0a, start) + 1
      const at = chunk.indexOf(text, start)
      // The next place of the text may be some lines ahead: go straight to its line.
      if (at === -1 || at >= end) break
      if (at < next) {
        lines++
        start = next
      } else start = chunk.lastIndexOf(0x0a, at) + 1
    }
    chunk.copyWithin(0, end, size)
    kept = size - end
  }
  closeSync(descriptor)
  return lines
}
