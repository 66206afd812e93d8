/** What the thread of the command and the thread of the engine say to each other. */
import type { BulkResolver } from '../net/bulk-backend.ts'
import type { CooldownPolicy } from '../measure/cooldown.ts'
import type { ResolverTarget } from '../vantages/resolver.ts'
import type { BulkCheckpoint } from '../measure/bulk/bulk-checkpoint.ts'
import type { BulkPace } from '../measure/bulk/resolver-queues.ts'

/** Formats that an engine writes. */
export type BulkFormat = 'jsonl' | 'bin'

/** What carries the datagrams. */
export type BulkBackendName = 'dgram' | 'native' | 'segmented'

/** A resolver that is asked by the engine for every transport. */
export interface BulkStream {
  /** As it stands in the list. */
  readonly word: string
  readonly target: ResolverTarget
}

/** Everything that an engine is started with. */
export interface BulkJob {
  readonly backend: BulkBackendName
  /** Path of the names, or the memory that stdin is written into. */
  readonly names: string | SharedArrayBuffer
  /** `null` for stdout. */
  readonly output: string | null
  readonly outputOctets: number
  readonly format: BulkFormat
  readonly types: readonly number[]
  readonly resolvers: readonly BulkResolver[]
  /** How each of them is asked; `null` when all are asked over UDP by the bulk engine. */
  readonly streams: readonly BulkStream[] | null
  readonly pace: BulkPace
  /** `null` when nobody rests. */
  readonly cooldown: CooldownPolicy | null
  readonly timeoutMs: number
  readonly retries: number
  /** RCODEs after which another resolver is asked. */
  readonly retriedRcodes: readonly number[]
  /** After how long a second resolver is asked at the earliest; `null` for never. Of meaning with `streams` only. */
  readonly hedgeMs: number | null
  /** After how long nothing new is begun, in milliseconds; `null` for never. */
  readonly deadlineMs: number | null
  readonly bufferOctets: number
  readonly wantsRecursion: boolean
  readonly wantsDnssec: boolean
  readonly hearsStrangers: boolean
  readonly seed: string
  readonly resumeAt: number
  readonly unfinished: Float64Array
  readonly counters: SharedArrayBuffer
  /** One Int32: 1 asks the engine to finish what is in flight. */
  readonly control: SharedArrayBuffer
  /** How often a checkpoint is sent, in milliseconds; 0 for never. */
  readonly checkpointMs: number
}

/** From the engine. */
export type EngineMessage =
  | { readonly kind: 'tcp'; readonly slot: number; readonly resolver: number; readonly query: Uint8Array }
  | { readonly kind: 'malformed_line'; readonly line: number; readonly reason: string }
  | { readonly kind: 'checkpoint'; readonly checkpoint: BulkCheckpoint }
  | {
      readonly kind: 'resolver_failed'
      readonly resolver: string
      readonly operation: string
      readonly failure: string
    }
  | {
      readonly kind: 'done'
      readonly checkpoint: BulkCheckpoint | undefined
      /** Whether every query has its record. */
      readonly isComplete: boolean
    }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly hint: string }

/** To the engine: the message that TCP gave, or nothing. */
export interface TcpMessage {
  readonly slot: number
  readonly message: Uint8Array | undefined
}
