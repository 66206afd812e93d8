/** A thread of an import: takes lines, writes the columns of its part. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { openPartWriter } from '../campaigns/satellite/columns/write-part.ts'
import { FileError } from '../core/files.ts'
import { nodeFiles } from '../platform/node-files.ts'
import type { ImportAnswer, ImportOrder, ImportPart } from './satellite-import-job.ts'

if (parentPort !== null) work(workerData as ImportPart, parentPort)

function work({ directory, part }: ImportPart, port: MessagePort): void {
  const writing = openPartWriter(nodeFiles, directory, part)
  // One order after the other, as they came.
  let last: Promise<unknown> = writing
  const answer = async (order: ImportOrder): Promise<ImportAnswer> => {
    const writer = await writing
    if (order.type === 'end') {
      await writer.close()
      return { type: 'closed' }
    }
    const { kind, memory, octets } = order
    return { type: 'written', written: await writer.take(kind, new Uint8Array(memory, 0, octets)), memory }
  }
  port.on('message', (order: ImportOrder) => {
    last = last
      .then(() => answer(order))
      .catch((error: unknown): ImportAnswer => {
        if (error instanceof FileError) return { type: 'failed', code: error.code, path: error.path }
        throw error
      })
      .then((said) => {
        port.postMessage(said, said.type === 'written' ? [said.memory] : [])
        if (said.type !== 'written') port.close()
      })
  })
}
