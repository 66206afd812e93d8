/** `candor authority`: serves the wildcard zone and records every query. */
import type { Command } from 'commander'
import { openAuthorityLog } from '../authority/authority-log-file.ts'
import { startAuthority, type AuthorityCounters, type RunningAuthority } from '../authority/authority-server.ts'
import type { AuthoritySink } from '../authority/authority-sink.ts'
import { formatDelegation } from '../authority/format-delegation.ts'
import { RunError } from '../core/config-error.ts'
import { formatEndpoint, NetError } from '../net/net.ts'
import {
  addAuthorityOptions,
  formatSize,
  isLoopback,
  readAuthorityOptions,
  type AuthorityCommandOptions,
} from './authority-options.ts'
import { startAuthorityPrinter } from './authority-printer.ts'
import type { CliContext } from './cli-context.ts'

/** Adds the command. */
export function registerAuthorityCommand(program: Command, context: CliContext): void {
  const command = program
    .command('authority')
    .description('serve a wildcard zone, and record who asks for its names')
    .addHelpText(
      'after',
      '\nExample:\n  candor authority --zone probe.zone.example --expect 192.0.2.1 --listen 192.0.2.53 --log queries.jsonl',
    )
  addAuthorityOptions(command)
  command.action(() => runAuthority(context, readAuthorityOptions(command)))
}

/** Where records go, whatever it is. */
interface OpenSink extends AuthoritySink {
  dropped(): number
  close(): Promise<void>
  /** Rejects when there is no sense in going on. */
  readonly ended: Promise<void>
}

async function runAuthority(context: CliContext, options: AuthorityCommandOptions): Promise<void> {
  const sink = await openSink(context, options)
  const authority = await listen(context, options, sink).catch(async (error: unknown) => {
    await sink.close()
    throw error
  })
  await describeStart(context, options, authority)
  try {
    await Promise.race([sink.ended, aborted(context.interrupted)])
  } finally {
    await authority.close()
    await sink.close()
    await describeEnd(context, authority.counters(), sink.dropped())
  }
}

async function openSink(context: CliContext, options: AuthorityCommandOptions): Promise<OpenSink> {
  if (options.log === null) return startAuthorityPrinter(context)
  const { files, clock, log } = context
  const file = await openAuthorityLog({
    files,
    clock,
    log,
    path: options.log,
    sizeOctetsMax: options.logSizeOctets,
    filesMax: options.logFiles,
  })
  return { ...file, ended: new Promise<void>(() => {}) }
}

async function listen(
  { net, clock }: CliContext,
  options: AuthorityCommandOptions,
  log: AuthoritySink,
): Promise<RunningAuthority> {
  try {
    return await startAuthority({ ...options, net, clock, log })
  } catch (error) {
    if (!(error instanceof NetError)) throw error
    const where = options.listen.map(formatEndpoint).join(', ')
    throw new RunError(`cannot listen on ${where}: ${error.failure}`, LISTEN_FIXES[error.failure] ?? '', {
      cause: error,
    })
  }
}

const LISTEN_FIXES: Readonly<Record<string, string>> = {
  address_in_use: 'another server has that port; name another address or port with --listen, or stop it',
  address_not_available: 'name an address of this machine with --listen',
  permission_denied:
    'ports below 1024 need a privilege: listen on a higher port and redirect 53 to it, or give the service CAP_NET_BIND_SERVICE',
}

async function describeStart(
  context: CliContext,
  options: AuthorityCommandOptions,
  authority: RunningAuthority,
): Promise<void> {
  const { zones, log } = options
  const [zone] = zones
  const [first] = authority.endpoints
  if (zone === undefined || first === undefined) return
  const endpoints = authority.endpoints.map(formatEndpoint).join(', ')
  await context.say(`serving ${zones.map(({ name }) => name).join(', ')} on ${endpoints} (UDP and TCP)`)
  if (log !== null) {
    await context.say(`queries go to ${log}, rotated at ${formatSize(options.logSizeOctets)}, ${options.logFiles} kept`)
  }
  await context.say('\nTo delegate, put this into the parent zones:\n')
  for (const { name, nameServers } of zones) {
    for (const line of formatDelegation({ name, nameServers })) await context.say(`  ${line}`)
  }
  if (authority.endpoints.every(({ address }) => isLoopback(address))) {
    await context.say('\nOnly this machine can ask here; --listen ADDRESS opens it to others.')
  }
  const direct = `${first.address}#${first.port}`
  await context.say(`
To try it:  dig @${first.address} -p ${first.port} anything.${zone.name} A
To scan:    candor exits run --domain ${zone.name} ${zone.addresses.map((address) => `--expect ${address}`).join(' ')} --direct-resolver ${direct}${log === null ? '' : ` --authority-log ${log}`}
`)
}

function describeEnd(context: CliContext, counters: AuthorityCounters, dropped: number): Promise<void> {
  const { queries, limited, malformed, unsent } = counters
  return context.say(
    `${queries} queries, ${limited} limited (TC = 1), ${malformed} malformed, ${unsent} answers not sent, ${dropped} not recorded`,
  )
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
