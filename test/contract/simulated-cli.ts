/** The command line without a process: capabilities whose output is kept. Files, clock and network are the machine's. */
import { publicAddressPlan } from '../../src/core/address-plan.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import type { CliCapabilities } from '../../src/cli/cli-context.ts'
import { OutputClosedError } from '../../src/cli/cli-output.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import { HOME } from '../tidy/source-tree.ts'

/** What a command left behind. */
export interface CliOutcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** What a test changes. */
export interface SimulatedCliOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Whether stdout and stderr claim to be a terminal. */
  readonly isTerminal?: boolean
  /** Whether nobody reads stdout any more. */
  readonly isStdoutClosed?: boolean
}

/** Runs one command to its end. */
export async function runSimulatedCli(
  argv: readonly string[],
  { environment = {}, isTerminal = false, isStdoutClosed = false }: SimulatedCliOptions = {},
): Promise<CliOutcome> {
  const texts = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr'): CliCapabilities['stdout'] => ({
    isTerminal,
    columns: 100,
    write: (text) => {
      if (name === 'stdout' && isStdoutClosed) return Promise.reject(new OutputClosedError('nobody reads'))
      texts[name] += text
      return Promise.resolve()
    },
  })
  const status = await runCli(argv, {
    clock: nodeClock,
    files: nodeFiles,
    net: nodeNet,
    processes: nodeProcesses,
    addressPlan: publicAddressPlan,
    createRandom: createSeededRandom,
    newSeed: () => '0123456789abcdef',
    stdout: output('stdout'),
    stderr: output('stderr'),
    stdinIsTerminal: false,
    environment,
    interrupted: new AbortController().signal,
    onHangup: () => () => {},
    version: '9.9.9',
    home: HOME,
  })
  return { status, ...texts }
}
