/**
 * Datagrams over `node:dgram`: works wherever Node does.
 *
 * While there are few resolvers each has a connected socket, so that the kernel looks up the route once and drops what
 * others send. Beyond the pool, and where others are to be heard, sockets are shared and not connected.
 *
 * Invariant: never more sockets than the pool; what the system refuses (EMFILE) is done with those there are.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { RunError } from '../core/config-error.ts'
import type { BulkBackend, BulkBatch, BulkDrive, BulkResolver } from '../net/bulk-backend.ts'

/** Leaves room below the usual soft limit of 1,024 descriptors. */
const CONNECTED_MAX = 512
/** Shared sockets of one family: source ports rotate over them. */
const SHARED = 8
/** How many connected sockets make room when the system gives no more. */
const GIVEN_BACK = 32
const BUFFER_OCTETS = 4_194_304
const ENTRY_FIELDS = 3
const DATAGRAM_OCTETS_MAX = 65_536
/** Short queries lie in front. */
const VIEWS = 65_536

/** What a backend is made of. */
export interface DgramBackendOptions {
  readonly resolvers: readonly BulkResolver[]
  readonly batch: BulkBatch
  /** Whether datagrams of strangers are to be seen: then no socket is connected. */
  readonly hearsStrangers: boolean
}

/** @throws {RunError} When not one socket can be opened. */
export async function createDgramBackend(options: DgramBackendOptions): Promise<BulkBackend> {
  const sockets = new DgramSockets(options)
  await sockets.open()
  return sockets
}

class DgramSockets implements BulkBackend {
  private readonly options: DgramBackendOptions
  /** The socket of each resolver that has one of its own. */
  private readonly connected: (Socket | undefined)[] = []
  private readonly shared4: Socket[] = []
  private readonly shared6: Socket[] = []
  private readonly numbers = new Map<string, number>()
  private drive: BulkDrive | undefined
  private readonly views: (Uint8Array | undefined)[] = []
  private readonly received = new Uint8Array(DATAGRAM_OCTETS_MAX)
  private turn = 0
  private onEnd: (() => void) | undefined
  private onFailure: ((error: unknown) => void) | undefined
  private timer: NodeJS.Timeout | undefined
  private isScheduled = false

  constructor(options: DgramBackendOptions) {
    this.options = options
    for (const [number, { address, port }] of options.resolvers.entries())
      this.numbers.set(`${address} ${port}`, number)
  }

  async open(): Promise<void> {
    const { resolvers, hearsStrangers } = this.options
    if (!hearsStrangers && resolvers.length <= CONNECTED_MAX) {
      for (const [number, resolver] of resolvers.entries()) {
        this.connected[number] = await openSocket(resolver.address.includes(':'), resolver, (octets, size) => {
          this.take(octets, size, number)
        })
      }
    }
    // The shared sockets, and TCP, need descriptors as well.
    if (this.connected.includes(undefined)) for (let i = 0; i < GIVEN_BACK; i++) this.closeLastConnected()
    const rest = resolvers.filter((_, number) => this.connected[number] === undefined)
    if (rest.some(({ address }) => !address.includes(':'))) await this.openShared(this.shared4, false)
    if (rest.some(({ address }) => address.includes(':'))) await this.openShared(this.shared6, true)
  }

  nowMs(): number {
    return performance.now()
  }

  send(count: number): number {
    const { entries } = this.options.batch
    for (let i = 0; i < count; i++) {
      const at = entries[i * ENTRY_FIELDS] as number
      const size = entries[i * ENTRY_FIELDS + 1] as number
      const number = entries[i * ENTRY_FIELDS + 2] as number
      const query = this.viewOf(at, size)
      const socket = this.connected[number]
      if (socket !== undefined) {
        socket.send(query)
        continue
      }
      const { address, port } = this.options.resolvers[number] as BulkResolver
      const shared = address.includes(':') ? this.shared6 : this.shared4
      shared[this.turn++ % shared.length]?.send(query, port, address)
    }
    return count
  }

  run(drive: BulkDrive): Promise<void> {
    this.drive = drive
    return new Promise((resolve, reject) => {
      this.onEnd = resolve
      this.onFailure = reject
      this.step()
    })
  }

  close(): void {
    clearTimeout(this.timer)
    this.drive = undefined
    for (const socket of [...this.connected, ...this.shared4, ...this.shared6]) socket?.close()
  }

  private closeLastConnected(): void {
    const last = this.connected.findLastIndex((socket) => socket !== undefined)
    if (last < 0) return
    this.connected[last]?.close()
    this.connected[last] = undefined
  }

  private async openShared(sockets: Socket[], isSix: boolean): Promise<void> {
    for (let i = 0; i < SHARED; i++) {
      const socket = await openSocket(isSix, undefined, (octets, size, address, port) => {
        this.take(octets, size, this.numbers.get(`${address} ${port}`) ?? -1)
      })
      if (socket === undefined) break
      sockets.push(socket)
    }
    if (sockets.length === 0)
      throw new RunError('no socket can be opened', 'raise the limit of open files (`ulimit -n`)')
  }

  private take(octets: Uint8Array, size: number, number: number): void {
    if (this.drive === undefined) return
    // Always the same array, and a plain one: whoever reads it is compiled for that.
    this.received.set(octets)
    this.drive.accept(this.received, 0, size, number, performance.now())
    // Whatever else has arrived is taken first, then one step serves all.
    if (this.isScheduled) return
    this.isScheduled = true
    clearTimeout(this.timer)
    setImmediate(() => {
      this.step()
    })
  }

  /** Queries of one slot are often of one length: then the view is there already. */
  private viewOf(at: number, size: number): Uint8Array {
    const { wire, strideOctets } = this.options.batch
    const place = at / strideOctets
    if (place >= VIEWS) return wire.subarray(at, at + size)
    const known = this.views[place]
    if (known?.length === size) return known
    const view = wire.subarray(at, at + size)
    this.views[place] = view
    return view
  }

  private step(): void {
    this.isScheduled = false
    if (this.drive === undefined) return
    let waitMs: number
    try {
      waitMs = this.drive.step(performance.now())
    } catch (error) {
      this.drive = undefined
      this.onFailure?.(error)
      return
    }
    if (waitMs < 0) {
      this.drive = undefined
      this.onEnd?.()
      return
    }
    clearTimeout(this.timer)
    if (waitMs > 0) {
      this.timer = setTimeout(() => {
        this.step()
      }, waitMs)
      return
    }
    this.isScheduled = true
    setImmediate(() => {
      this.step()
    })
  }
}

/**
 * Opens a socket.
 *
 * @param to - Whom it is connected to; `undefined` for a socket that hears everybody.
 *
 * @returns `undefined` when the system gives no (more) sockets.
 */
async function openSocket(
  isSix: boolean,
  to: BulkResolver | undefined,
  onDatagram: (octets: Uint8Array, sizeOctets: number, address: string, port: number) => void,
): Promise<Socket | undefined> {
  const socket = createSocket({
    type: isSix ? 'udp6' : 'udp4',
    ipv6Only: isSix,
    recvBufferSize: BUFFER_OCTETS,
    sendBufferSize: BUFFER_OCTETS,
  })
  try {
    if (to === undefined) {
      socket.bind(0)
      await once(socket, 'listening')
    } else {
      socket.connect(to.port, to.address)
      await once(socket, 'connect')
    }
  } catch (error) {
    socket.close()
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EMFILE' || code === 'ENFILE' || code === 'ENETUNREACH' || code === 'EAFNOSUPPORT') return undefined
    throw error
  }
  // An ICMP error says that nobody is there; the time-out says so as well.
  socket.on('error', () => {})
  socket.on('message', (octets, { address: from, port: fromPort, size }) => {
    onDatagram(octets, size, from, fromPort)
  })
  return socket
}
