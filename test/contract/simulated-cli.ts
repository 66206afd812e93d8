/** The command line without a process: capabilities whose output is kept. Files, clock and network are the machine's. */
import { publicAddressPlan } from '../../src/core/address-plan.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import type { CliCapabilities } from '../../src/cli/cli-context.ts'
import { OutputClosedError } from '../../src/cli/cli-output.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeHttp } from '../../src/platform/node-http.ts'
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

/** What a simulated command writes, as it goes on. */
export interface CliTexts {
  stdout: string
  stderr: string
}

/** Capabilities whose output is kept in `texts`. */
export function createCliCapabilities({
  environment = {},
  isTerminal = false,
  isStdoutClosed = false,
}: SimulatedCliOptions = {}): { readonly capabilities: CliCapabilities; readonly texts: CliTexts } {
  const texts: CliTexts = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr'): CliCapabilities['stdout'] => ({
    isTerminal,
    columns: 200,
    write: (text) => {
      if (name === 'stdout' && isStdoutClosed) return Promise.reject(new OutputClosedError('nobody reads'))
      texts[name] += text
      return Promise.resolve()
    },
  })
  const capabilities: CliCapabilities = {
    clock: nodeClock,
    files: nodeFiles,
    net: nodeNet,
    http: nodeHttp,
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
  }
  return { capabilities, texts }
}

/** Runs one command to its end. */
export async function runSimulatedCli(argv: readonly string[], options: SimulatedCliOptions = {}): Promise<CliOutcome> {
  const { capabilities, texts } = createCliCapabilities(options)
  const status = await runCli(argv, capabilities)
  return { status, ...texts }
}
