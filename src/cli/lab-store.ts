/** `candor lab store`: an S3-compatible store on loopback, to try publication against. */
import { Option, type Command } from 'commander'
import { RunError } from '../core/config-error.ts'
import { checkLimit, type Limit } from '../core/limit.ts'
import { startObjectStore, type ObjectStoreServer, type StoreFault, type StoreRequest } from '../lab/object-store.ts'
import type { CliContext } from './cli-context.ts'
import { untilAborted } from './start-laboratory.ts'

const PORT: Limit = { default: 0, min: 0, max: 65_535, unit: 'port', why: 'the system chooses a free one' }
const EVERY: Limit = { default: 0, min: 0, max: 1_000_000, unit: 'requests', why: 'nothing goes wrong' }
const BUCKET = 'exit-dns-results'
const SLOW_MS = 5000

/** What `--fault` can name. */
const FAULTS: Readonly<Record<string, StoreFault>> = {
  error: { kind: 'status', status: 500, code: 'InternalError' },
  refuse: { kind: 'status', status: 403, code: 'AccessDenied' },
  'cut-before': { kind: 'cut', when: 'before' },
  'cut-after': { kind: 'cut', when: 'after' },
  slow: { kind: 'slow', delayMs: SLOW_MS },
}

interface StoreFlags {
  readonly port?: string
  readonly fault: string
  readonly faultEvery?: string
  readonly public?: boolean
}

/** Adds `candor lab store`. */
export function registerLabStore(lab: Command, context: CliContext): void {
  lab
    .command('store')
    .description('serve an S3-compatible store on 127.0.0.1, in memory, until it is interrupted')
    .option('--port <number>', 'port (default: a free one)')
    .option('--public', 'let everybody read objects by their address')
    .addOption(
      new Option('--fault <name>', 'what goes wrong with --fault-every').choices(Object.keys(FAULTS)).default('error'),
    )
    .option('--fault-every <number>', 'let every request with a multiple of this number go wrong (default: none)')
    .action(async (flags: StoreFlags) => {
      await serve(context, flags)
    })
}

async function serve(context: CliContext, flags: StoreFlags): Promise<void> {
  const port = readNumber(PORT, flags.port, '--port')
  const every = readNumber(EVERY, flags.faultEvery, '--fault-every')
  const fault = ({ number }: StoreRequest): StoreFault | undefined =>
    every > 0 && (number + 1) % every === 0 ? FAULTS[flags.fault] : undefined
  const keys = { accessKeyId: `lab${context.newSeed()}`, secretAccessKey: context.newSeed() + context.newSeed() }
  const options = { ...keys, region: 'us-east-1', bucket: BUCKET, clock: context.clock, port, fault }
  await using store = await start({ ...options, isPublic: flags.public === true })
  // The keys open nothing but this store in memory, so they may be shown.
  await context.stdout.write(
    [
      `export CANDOR_STORE_LAB_ACCESS_KEY_ID=${keys.accessKeyId}`,
      `export CANDOR_STORE_LAB_SECRET_ACCESS_KEY=${keys.secretAccessKey}`,
      `# [[publish.stores]]`,
      `# name = "lab"`,
      `# endpoint = "${store.url}"`,
      `# bucket = "${BUCKET}"`,
      '',
    ].join('\n'),
  )
  await context.say('the store is there; Ctrl-C ends it, and what it holds is gone')
  await untilAborted(context.interrupted)
  await context.say(`${store.requests.length} requests, ${store.objects.size} objects`)
}

async function start(options: Parameters<typeof startObjectStore>[0]): Promise<ObjectStoreServer> {
  try {
    return await startObjectStore(options)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'UNKNOWN'
    throw new RunError(`cannot listen on 127.0.0.1:${options.port}: ${code}`, 'candor lab store', { cause })
  }
}

/** @throws {ConfigError} When it is no number, or out of range. */
function readNumber(limit: Limit, text: string | undefined, option: string): number {
  return checkLimit(limit, text === undefined ? limit.default : /^\d+$/.test(text) ? Number(text) : Number.NaN, option)
}
