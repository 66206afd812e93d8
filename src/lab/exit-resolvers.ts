/**
 * The resolvers behind the exits of a laboratory, each at an address in its exit's neighbourhood.
 *
 * Invariant: an exit's resolv.conf names no server but those of its fault.
 */
import { assertNever } from '../core/assert.ts'
import { RunError } from '../core/config-error.ts'
import type { Random } from '../core/random.ts'
import type { Endpoint } from '../net/net.ts'
import type { Fault } from './faults.ts'
import { findFreePort } from './find-free-port.ts'
import {
  type MisbehavingResolver,
  type ResolverCounters,
  type ServedZone,
  startMisbehavingResolver,
} from './misbehaving-dns.ts'
import { RIGHT_BEHAVIOUR } from './resolver-behaviour.ts'
import type { TorNetworkMachine } from './tor-network-options.ts'
import { startValidatingResolver, type ValidatingResolver } from './validating-resolver.ts'

/** Where the resolvers of a laboratory find what they need. */
export interface ExitResolversOptions {
  readonly zones: readonly ServedZone[]
  readonly trustAnchors: readonly string[]
  /** Third octet of the laboratory's addresses. */
  readonly block: number
  /** Path of `unbound`; `undefined` when it is absent. */
  readonly unbound: string | undefined
  readonly directory: string
}

/** Starts resolvers for exits and keeps them. */
export class ExitResolvers {
  readonly #machine: TorNetworkMachine & { readonly random: Random }
  readonly #options: ExitResolversOptions
  readonly #byNickname = new Map<string, MisbehavingResolver>()
  readonly #validating: ValidatingResolver[] = []
  readonly #armed = new Map<string, () => Promise<void>>()
  #central: Promise<MisbehavingResolver> | undefined

  constructor(machine: TorNetworkMachine & { readonly random: Random }, options: ExitResolversOptions) {
    this.#machine = machine
    this.#options = options
  }

  /**
   * Starts what the exit's fault needs.
   *
   * @param exitAddress - Address of the exit; its resolver gets the same with 53 at the end.
   * @returns The content of the exit's resolv.conf.
   * @throws {RunError} When the fault needs a program that is absent.
   */
  async startFor(nickname: string, exitAddress: string, fault: Fault): Promise<string> {
    const address = exitAddress.replace(/\.\d+$/, '.53')
    switch (fault.nameServers) {
      case 'closed_port':
        return formatResolvConf([await findFreePort(this.#machine.net, address)])
      case 'dead_then_own': {
        const dead = await findFreePort(this.#machine.net, address.replace(/\.\d+$/, '.54'))
        return formatResolvConf([dead, await this.#startOwn(nickname, address, fault)])
      }
      case 'central':
        this.#central ??= this.#start(`127.253.${this.#options.block}.53`, RIGHT_BEHAVIOUR)
        return formatResolvConf([(await this.#central).endpoint])
      case 'validating':
        return formatResolvConf([await this.#startValidating(address)])
      case 'own':
        return formatResolvConf([await this.#startOwn(nickname, address, fault)])
      default:
        return assertNever(fault.nameServers)
    }
  }

  /** Runs `act` once, at the first question for a measured zone that reaches this exit's own resolver. */
  onFirstQuestion(nickname: string, act: () => Promise<void>): void {
    this.#armed.set(nickname, act)
  }

  /** @returns What the exit's own resolver was asked; `undefined` when it has none of its own. */
  counters(nickname: string): ResolverCounters | undefined {
    return this.#byNickname.get(nickname)?.counters()
  }

  /** Ends them all. */
  async close(): Promise<void> {
    const central = await this.#central
    await Promise.all([
      central?.close(),
      ...[...this.#byNickname.values()].map((resolver) => resolver.close()),
      ...this.#validating.map((resolver) => resolver.close()),
    ])
  }

  async #startOwn(nickname: string, address: string, fault: Fault): Promise<Endpoint> {
    const resolver = await this.#start(address, fault.behaviour, () => {
      const act = this.#armed.get(nickname)
      this.#armed.delete(nickname)
      void act?.()
    })
    this.#byNickname.set(nickname, resolver)
    return resolver.endpoint
  }

  #start(address: string, behaviour: Fault['behaviour'], onZoneQuery?: () => void): Promise<MisbehavingResolver> {
    return startMisbehavingResolver(this.#machine, {
      listen: { address, port: 0 },
      zones: this.#options.zones,
      behaviour,
      ...(onZoneQuery === undefined ? {} : { onZoneQuery }),
    })
  }

  async #startValidating(address: string): Promise<Endpoint> {
    const { unbound, zones, trustAnchors, directory } = this.#options
    // The seed gives this fault to no exit where unbound is absent; somebody wished for it.
    if (unbound === undefined)
      throw new RunError('unbound is not installed', 'Install it with: apt-get install unbound')
    const listen = await findFreePort(this.#machine.net, address)
    const resolver = await startValidatingResolver(this.#machine, { unbound, directory, listen, zones, trustAnchors })
    this.#validating.push(resolver)
    return resolver.endpoint
  }
}

function formatResolvConf(servers: readonly Endpoint[]): string {
  return servers.map((server) => `nameserver ${server.address}:${server.port}\n`).join('')
}
