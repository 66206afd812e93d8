/**
 * A real resolver that validates DNSSEC, behind one exit of the laboratory: Debian's `unbound`.
 *
 * Invariant: it asks the laboratory's authorities and nobody else; every other name does not exist.
 *
 * Sources: unbound.conf(5).
 */
import { type Clock, sleep } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import { type Files, joinPath } from '../core/files.ts'
import type { ProcessRunner } from '../core/process-runner.ts'
import type { Random } from '../core/random.ts'
import { formatName } from '../dns/name.ts'
import { TYPE_SOA } from '../dns/rr-type.ts'
import type { Endpoint, Net } from '../net/net.ts'
import type { ServedZone } from './misbehaving-dns.ts'
import { startOwnerWatcher } from './owner-watcher.ts'
import { RIGHT_BEHAVIOUR } from './resolver-behaviour.ts'
import { createUpstreamClient } from './upstream-client.ts'

const START_TRIES = 20
const START_PAUSE_MS = 200

/** How to start it. */
export interface ValidatingResolverOptions {
  /** Path of the program. */
  readonly unbound: string
  /** Where its configuration goes; must exist. */
  readonly directory: string
  /** Where it listens and asks from; a port of the system's choice was found before. */
  readonly listen: Endpoint
  readonly zones: readonly ServedZone[]
  /** `zone. DNSKEY …`, one per signed zone. */
  readonly trustAnchors: readonly string[]
}

/** A resolver that serves. */
export interface ValidatingResolver {
  readonly endpoint: Endpoint
  close(): Promise<void>
}

/** Starts it and waits until it answers. @throws {RunError} When it does not. */
export async function startValidatingResolver(
  machine: {
    readonly net: Net
    readonly clock: Clock
    readonly random: Random
    readonly files: Files
    readonly processes: ProcessRunner
  },
  options: ValidatingResolverOptions,
): Promise<ValidatingResolver> {
  const path = joinPath(options.directory, 'unbound.conf')
  await machine.files.writeAtomic(path, formatUnboundConfig(options), 0o600)
  let lastLine = 'it said nothing'
  const child = await machine.processes.start(options.unbound, ['-d', '-c', path], {
    onLine: (line) => {
      lastLine = line
    },
  })
  const watcher = await startOwnerWatcher(machine.processes, child.pid, 'TERM')
  const close = async (): Promise<void> => {
    child.kill('SIGKILL')
    watcher.kill('SIGKILL')
    await Promise.all([child.exited, watcher.exited])
  }
  const client = await createUpstreamClient(machine, options.listen.address, {
    ...RIGHT_BEHAVIOUR.asking,
    recursionDesired: true,
  })
  try {
    for (let tries = 0; tries < START_TRIES; tries++) {
      const [zone] = options.zones
      if (zone === undefined) break
      const response = await client.ask(options.listen, zone.name, zone.name, TYPE_SOA)
      if (response?.header.rcode === 0) return { endpoint: options.listen, close }
      await sleep(machine.clock, START_PAUSE_MS)
    }
  } finally {
    client.close()
  }
  await close()
  throw new RunError(`unbound does not answer: ${lastLine}`, `See ${path}`)
}

function formatUnboundConfig({ directory, listen, zones, trustAnchors }: ValidatingResolverOptions): string {
  const names = zones.map((zone) => `${formatName(zone.name)}.`)
  const lines = [
    'server:',
    'username: ""',
    'chroot: ""',
    `directory: "${directory}"`,
    'pidfile: ""',
    'use-syslog: no',
    'logfile: ""',
    'num-threads: 1',
    `interface: ${listen.address}@${listen.port}`,
    `outgoing-interface: ${listen.address}`,
    'do-ip6: no',
    'access-control: 127.0.0.0/8 allow',
    'do-not-query-localhost: no',
    'qname-minimisation: no',
    'module-config: "validator iterator"',
    ...trustAnchors.map((anchor) => `trust-anchor: "${anchor}"`),
    'local-zone: "." static',
    ...names.map((name) => `local-zone: "${name}" transparent`),
    ...zones.flatMap((zone, index) => [
      'stub-zone:',
      `name: "${names[index] ?? ''}"`,
      `stub-addr: ${zone.authority.address}@${zone.authority.port}`,
    ]),
    'remote-control:',
    'control-enable: no',
  ]
  return `${lines.join('\n')}\n`
}
