/**
 * What a private Tor network is built from: the machine's capabilities and the relays that are wanted.
 */
import type { Clock } from '../core/clock.ts'
import type { Files } from '../core/files.ts'
import type { Log } from '../core/log.ts'
import type { ProcessRunner } from '../core/process-runner.ts'
import type { Net } from '../net/net.ts'

/** What a network needs from the machine. */
export interface TorNetworkMachine {
  readonly clock: Clock
  readonly net: Net
  readonly files: Files
  readonly processes: ProcessRunner
  readonly log: Log
}

/** An exit to build. */
export interface TorExitOptions {
  readonly nickname: string
  /** Content of its resolv.conf: `nameserver 127.x.y.z:PORT`, one or more. */
  readonly resolvConf: (address: string) => Promise<string>
  /** Policy lines without `ExitPolicy`; the default is `accept *:*`. */
  readonly exitPolicy?: readonly string[]
  /** Whether it also exits to IPv6. */
  readonly ipv6?: boolean
  readonly badExit?: boolean
  /** Whether the authorities vote Exit for it whatever its policy says. */
  readonly votedExit?: boolean
}

/** A relay that does not exit: a first hop. */
export interface TorMiddleOptions {
  readonly nickname: string
  /** How much longer each round trip to it takes, in milliseconds; 0 for none. */
  readonly delayMs: number
}

/** The network to build. */
export interface TorNetworkOptions {
  /** Where keys, configurations and logs go; created with mode 0700. */
  readonly directory: string
  /** Third octet of all its addresses, 1 to 250: relay i lives on 127.i.BLOCK.1. Two networks may share one. */
  readonly block: number
  /** 1 to 9. */
  readonly authorities: number
  readonly middles: readonly TorMiddleOptions[]
  readonly exits: readonly TorExitOptions[]
  /** Until every authority's consensus lists every relay, in milliseconds. */
  readonly timeoutMs?: number
  readonly onProgress?: (progress: TorNetworkProgress) => void
}

/** How far the building has come. */
export interface TorNetworkProgress {
  readonly step: 'keys' | 'relays' | 'consensus'
  readonly done: number
  readonly total: number
}
