/** What the thread of the command and the thread of the engine say to each other. */
import type { BulkResolver } from '../net/bulk-backend.ts'
import type { CooldownPolicy } from '../measure/cooldown.ts'
import type { BulkCheckpoint } from '../measure/bulk/bulk-checkpoint.ts'
import type { BulkPace } from '../measure/bulk/resolver-queues.ts'

/** Formats that an engine writes. */
export type BulkFormat = 'jsonl' | 'bin'

/** What carries the datagrams. */
export type BulkBackendName = 'dgram' | 'native' | 'segmented'

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
  readonly pace: BulkPace
  /** `null` when nobody rests. */
  readonly cooldown: CooldownPolicy | null
  readonly timeoutMs: number
  readonly retries: number
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
  | { readonly kind: 'done'; readonly checkpoint: BulkCheckpoint | undefined }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly hint: string }

/** To the engine: the message that TCP gave, or nothing. */
export interface TcpMessage {
  readonly slot: number
  readonly message: Uint8Array | undefined
}
