/** The names of a bulk run, as its thread reads them. */
import { NameReader } from '../measure/bulk/name-reader.ts'
import { openNameFile, openRingSource } from '../platform/bulk-streams.ts'
import type { BulkJob, EngineMessage } from './bulk-job.ts'

/** Beyond this they are only counted. */
const MALFORMED_LINES_REPORTED_MAX = 20

/** Opens the input of a run. @throws {Error} With the code of the operating system. */
export function openBulkInput(job: BulkJob, tell: (message: EngineMessage) => void): NameReader {
  let reported = 0
  const numbers = new Map(job.resolvers.map(({ address, port }, number) => [`${address}#${port}`, number]))
  for (const [number, { word }] of job.streams?.entries() ?? []) numbers.set(word, number)
  return new NameReader(typeof job.names === 'string' ? openNameFile(job.names) : openRingSource(job.names), {
    types: job.types,
    bufferOctets: job.bufferOctets,
    wantsRecursion: job.wantsRecursion,
    wantsDnssec: job.wantsDnssec,
    findResolver: (word) => numbers.get(word) ?? numbers.get(`${word}#53`) ?? -1,
    onMalformed: (line, reason) => {
      if (reported++ < MALFORMED_LINES_REPORTED_MAX) tell({ kind: 'malformed_line', line, reason })
    },
    resumeAt: job.resumeAt,
    unfinished: job.unfinished,
  })
}
