/**
 * The process: puts Node's own clock, files, network and processes behind the command line and ends with its status.
 *
 * Invariant: the only file that reads `process` or calls `process.exit`.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isatty } from 'node:tty'
import { fileURLToPath } from 'node:url'
import { publicAddressPlan } from '../core/address-plan.ts'
import { createSeededRandom } from '../core/random.ts'
import { createIpTables } from '../enrich/ip-tables.node.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { nodeNet } from '../platform/node-net.ts'
import { nodeProcesses } from '../platform/node-processes.ts'
import type { CliCapabilities } from './cli-context.ts'
import { OutputClosedError, type CliOutput } from './cli-output.ts'
import { STATUS_BUG } from './exit-status.ts'
import { describeError, formatErrorParts } from './print-error.ts'
import { runCli } from './run-cli.ts'
import { watchSignals } from './signals.ts'

/** From `src/cli/` as from `dist/cli/`, the package is two directories up. */
const HOME = fileURLToPath(new URL('../..', import.meta.url))

function createNodeCapabilities(): CliCapabilities {
  const watch = watchSignals(process, () => {
    process.stderr.write('\nfinishing what is in flight; once more to stop now\n')
  })
  const { version } = JSON.parse(readFileSync(`${HOME}/package.json`, 'utf8')) as { readonly version: string }
  return {
    clock: nodeClock,
    files: nodeFiles,
    net: nodeNet,
    // Few commands need it, and it takes its time to load.
    http: { request: async (request) => (await import('../platform/node-http.ts')).nodeHttp.request(request) },
    processes: nodeProcesses,
    addressPlan: { ...publicAddressPlan, ...createIpTables() },
    createRandom: createSeededRandom,
    newSeed: () => randomBytes(8).toString('hex'),
    stdout: createOutput(process.stdout, 'stdout'),
    stderr: createOutput(process.stderr, 'stderr'),
    stdinIsTerminal: isatty(0),
    environment: process.env,
    interrupted: watch.interrupted,
    onHangup: watch.onHangup,
    version,
    home: HOME.replace(/\/$/, ''),
  }
}

function createOutput(stream: NodeJS.WriteStream, name: 'stdout' | 'stderr'): CliOutput {
  // The callback of `write` tells us; without a listener Node would end the process.
  stream.on('error', () => {})
  return {
    isTerminal: isatty(name === 'stdout' ? 1 : 2),
    get columns() {
      return stream.columns ?? 80
    },
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => {
          if (error === null || error === undefined || name === 'stderr') resolve()
          else if ('code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED'))
            reject(new OutputClosedError('nobody reads stdout', { cause: error }))
          else reject(error)
        })
      }),
  }
}

/** A bug that no command caught: named, with its place, and never a silent end. */
function endWithBug(error: unknown): void {
  process.stderr.write(formatErrorParts(describeError(error), false))
  process.exit(STATUS_BUG)
}

process.on('uncaughtException', endWithBug)
process.on('unhandledRejection', endWithBug)
process.exit(await runCli(process.argv.slice(2), createNodeCapabilities()))
