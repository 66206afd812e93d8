/** Records as lines of a master file. **Sources:** RFC 1035 section 5.1, RFC 3597 section 5. */
import type { ResourceRecord } from './message.ts'
import { formatName } from './name.ts'
import { formatRdata } from './rdata.ts'
import { formatRrClass, formatRrType } from './rr-type.ts'

/** Formats a record as `www.example. 300 IN A 192.0.2.1`; names end with a dot. */
export function formatRecord(record: ResourceRecord): string {
  const owner = record.name.length === 0 ? '.' : `${formatName(record.name)}.`
  const rdata = formatRdata(record.rdata)
  return `${owner} ${record.ttl} ${formatRrClass(record.class)} ${formatRrType(record.type)} ${rdata}`
}
