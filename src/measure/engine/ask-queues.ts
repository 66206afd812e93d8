/**
 * The attempts that wait, by resolver, and whose turn it is: where the caps and the window of a resolver have room.
 *
 * Invariant: what is taken out has its turn and its place in the window of its resolver, and gives the place back.
 */
import { PacedTurns } from '../paced-turns.ts'
import type { EnginePolicy } from './engine-policy.ts'
import { ResolverWindows, type WindowOutcome } from './resolver-windows.ts'

/** Something that waits. */
export interface QueuedAsk {
  readonly resolver: number
  /** Whether it goes before others: its question was put already, and somebody waits. */
  readonly isUrgent: boolean
  /** Whether nobody wants it any more: it goes without a turn. */
  readonly isStale: () => boolean
}

/** The queues of the resolvers 0 to `count` − 1. */
export class AskQueues<A extends QueuedAsk> {
  private readonly turns: PacedTurns
  private readonly windows: ResolverWindows
  /** Two queues for each resolver: what is urgent, and the rest. */
  private readonly queues: readonly A[][]
  private readonly isInLine: Uint8Array

  constructor(count: number, { caps, window }: Pick<EnginePolicy, 'caps' | 'window'>, nowMs: number) {
    this.turns = new PacedTurns(count, caps, caps.groups, nowMs)
    this.windows = new ResolverWindows(count, window)
    this.queues = Array.from({ length: count * 2 }, () => [])
    this.isInLine = new Uint8Array(count)
  }

  push(ask: A): void {
    this.queues[ask.resolver * 2 + (ask.isUrgent ? 0 : 1)]?.push(ask)
    this.want(ask.resolver)
  }

  /** @returns What has its turn now; `undefined` when nothing has. */
  next(nowMs: number): A | undefined {
    for (let resolver = this.turns.next(nowMs); resolver >= 0; resolver = this.turns.next(nowMs)) {
      this.isInLine[resolver] = 0
      const ask = this.windows.hasRoom(resolver) ? this.takeFirst(resolver) : undefined
      if (ask !== undefined) this.windows.begin(resolver)
      this.want(resolver)
      if (ask !== undefined) return ask
    }
    return undefined
  }

  /** What {@link next} gave, sent at `sentAtMs`, has ended. */
  end(resolver: number, outcome: WindowOutcome, sentAtMs: number, nowMs: number): void {
    this.windows.end(resolver, outcome, sentAtMs, nowMs)
    this.want(resolver)
  }

  /** Takes out everything that waits for a resolver. */
  clear(resolver: number): readonly A[] {
    return [resolver * 2, resolver * 2 + 1].flatMap((place) => this.queues[place]?.splice(0) ?? [])
  }

  /** Whether the window of a resolver has room. */
  hasRoom(resolver: number): boolean {
    return this.windows.hasRoom(resolver)
  }

  /** For how many milliseconds nothing has its turn, at least; infinity when nothing waits for one. */
  get idleMs(): number {
    return this.turns.idleMs
  }

  private takeFirst(resolver: number): A | undefined {
    for (const place of [resolver * 2, resolver * 2 + 1]) {
      const queue = this.queues[place] ?? []
      let ask = queue.shift()
      while (ask?.isStale() === true) ask = queue.shift()
      if (ask !== undefined) return ask
    }
    return undefined
  }

  private want(resolver: number): void {
    const waiting = (this.queues[resolver * 2]?.length ?? 0) + (this.queues[resolver * 2 + 1]?.length ?? 0)
    if (this.isInLine[resolver] === 1 || waiting === 0 || !this.windows.hasRoom(resolver)) return
    this.isInLine[resolver] = 1
    this.turns.want(resolver)
  }
}
