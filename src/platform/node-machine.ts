/** The machine, as Node knows it. */
import { statfs } from 'node:fs/promises'
import type { Machine } from '../model/machine.ts'

/** The machine with the disk of a directory. */
export function createNodeMachine(directory: string): Machine {
  return {
    residentOctets: () => process.memoryUsage.rss(),
    freeOctets: async () => {
      try {
        const { bavail, bsize } = await statfs(directory)
        return bavail * bsize
      } catch {
        return undefined
      }
    },
  }
}
