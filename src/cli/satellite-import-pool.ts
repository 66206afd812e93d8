/**
 * Gives lines to the threads of an import, in turn, and what is small to none: a thread takes longer to start than a small
 * file to read.
 *
 * Invariant: what was written comes back in the order in which it was given; at most two batches wait at each thread.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { openPartWriter, type PartWriter, type WrittenLines } from '../campaigns/satellite/columns/write-part.ts'
import type { LineBatch } from '../campaigns/satellite/columns/batch-lines.ts'
import type { ScanFileKind } from '../campaigns/satellite/scan-file-names.ts'
import { FileError, type Files } from '../core/files.ts'
import type { ImportAnswer, ImportOrder, ImportPart } from './satellite-import-job.ts'

/** More threads would wait for the one that reads. */
const THREADS_MAX = 4
const WAITING_MAX = 2
/** The published package has the same file compiled. */
const THREAD = new URL('./satellite-import-worker.ts', import.meta.url)

/** The threads of one import. */
export interface ImportPool {
  /** Hands lines over, waiting while everybody is busy. What became of them goes to `onWritten`, in order. */
  take(kind: ScanFileKind, batch: LineBatch): Promise<void>
  /** Waits for everything that was handed over. */
  settle(): Promise<void>
  /** Memory that a batch can be made in. */
  takeMemory(): ArrayBuffer
  /** Finishes the parts. @returns How many there are. @throws {FileError} */
  close(): Promise<number>
  /** Ends the threads, whatever they do. */
  stop(): Promise<void>
}

interface Thread {
  readonly worker: Worker
  readonly waiting: { readonly resolve: (answer: ImportAnswer) => void; readonly reject: (error: unknown) => void }[]
}

/** @param batchOctets - Size of the memory for one batch. @param onWritten - Gets what each batch gave. */
export function createImportPool(
  files: Files,
  directory: string,
  batchOctets: number,
  onWritten: (written: WrittenLines) => Promise<void>,
): ImportPool {
  const threads: Thread[] = []
  const memories: ArrayBuffer[] = []
  const inFlight = new Set<Promise<unknown>>()
  let own: Promise<PartWriter> | undefined
  let order: Promise<void> = Promise.resolve()
  let failure: { readonly error: unknown } | undefined
  /** What was given later is told later. */
  const deliver = (written: Promise<WrittenLines>): Promise<void> => {
    const before = order
    order = written.then(async (lines) => {
      await before
      await onWritten(lines)
    })
    // Whoever settles or closes learns of it, and whoever hands over more.
    order.catch((error: unknown) => {
      failure ??= { error }
    })
    return order
  }
  const chooseThread = (): Thread => {
    const idle = threads.toSorted((a, b) => a.waiting.length - b.waiting.length)[0]
    if (idle !== undefined && (idle.waiting.length === 0 || threads.length >= countThreads())) return idle
    const thread = startThread(directory, threads.length + 1)
    threads.push(thread)
    return thread
  }
  return {
    takeMemory: () => memories.pop() ?? new ArrayBuffer(batchOctets),
    take: async (kind, { octets, isWholeFile }) => {
      // A thread that failed has ended, and answers nobody.
      if (failure !== undefined) throw failure.error
      if (isWholeFile) {
        own ??= openPartWriter(files, directory, 0)
        const writer = await own
        const written = await writer.take(kind, octets)
        memories.push(octets.buffer)
        await deliver(Promise.resolve(written))
        return
      }
      const thread = chooseThread()
      const said = ask(thread, { type: 'lines', kind, memory: octets.buffer, octets: octets.length })
      const written = said.then((answer) => {
        if (answer.type !== 'written') throw new Error('a thread of the import ended early')
        memories.push(answer.memory)
        return answer.written
      })
      deliver(written).catch(() => undefined)
      inFlight.add(written)
      const forget = (): boolean => inFlight.delete(written)
      written.then(forget, forget)
      if (inFlight.size >= countThreads() * WAITING_MAX) await Promise.race(inFlight)
    },
    settle: () => order,
    close: async () => {
      await order
      await (await own)?.close()
      for (const thread of threads) await ask(thread, { type: 'end' })
      return threads.length + 1
    },
    stop: async () => {
      for (const { worker } of threads) await worker.terminate()
    },
  }
}

function countThreads(): number {
  return Math.min(availableParallelism(), THREADS_MAX)
}

function startThread(directory: string, part: number): Thread {
  const workerData: ImportPart = { directory, part }
  const isCompiled = import.meta.url.endsWith('.js')
  const worker = new Worker(isCompiled ? new URL(THREAD.href.replace(/\.ts$/, '.js')) : THREAD, { workerData })
  const waiting: Thread['waiting'] = []
  const fail = (error: unknown): void => {
    for (const { reject } of waiting.splice(0)) reject(error)
  }
  worker.on('message', (answer: ImportAnswer) => {
    if (answer.type === 'failed') fail(new FileError(answer.code, answer.path))
    else waiting.shift()?.resolve(answer)
  })
  worker.on('error', fail)
  worker.on('exit', () => {
    fail(new Error('a thread of the import ended early'))
  })
  return { worker, waiting }
}

function ask({ worker, waiting }: Thread, order: ImportOrder): Promise<ImportAnswer> {
  return new Promise((resolve, reject) => {
    waiting.push({ resolve, reject })
    worker.postMessage(order, order.type === 'lines' ? [order.memory] : [])
  })
}
