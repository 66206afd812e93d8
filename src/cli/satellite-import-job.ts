/** What the threads of an import say to each other. */
import type { WrittenLines } from '../campaigns/satellite/columns/write-part.ts'
import type { ScanFileKind } from '../campaigns/satellite/scan-file-names.ts'

/** What a thread begins with. */
export interface ImportPart {
  readonly directory: string
  readonly part: number
}

/** Some whole lines for a thread; `end` when there are no more. */
export type ImportOrder =
  | { readonly type: 'lines'; readonly kind: ScanFileKind; readonly memory: ArrayBuffer; readonly octets: number }
  | { readonly type: 'end' }

/** What a thread answers. */
export type ImportAnswer =
  | { readonly type: 'written'; readonly written: WrittenLines; readonly memory: ArrayBuffer }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly code: string; readonly path: string }
