/** A reader of an object store who does what readers do: lists first, then what they name. */
import { parseArchiveIndex } from '../../src/publish/archive-index.ts'
import type { HeldObject } from '../../src/lab/object-store.ts'

/** @returns What the lists in a store name and nobody can read there; with `latest.json`, when it is no JSON. */
export function findMissing(objects: ReadonlyMap<string, HeldObject>, prefix: string = ''): readonly string[] {
  const read = (name: string): string | undefined => {
    const object = objects.get(prefix + name)
    return object === undefined ? undefined : new TextDecoder().decode(object.octets)
  }
  const missing: string[] = []
  for (const list of ['files.json', 'files-all.json']) {
    for (const name of JSON.parse(read(list) ?? '[]') as readonly string[]) {
      if (objects.has(prefix + name) || objects.has(`${prefix}${name}.gz`)) continue
      const month = name.replaceAll('-', '').replace(/^dns_?health_(\d{4})(\d\d).*$/, '$1-$2')
      const index = parseArchiveIndex(month, read(`archives/${month}.index.json`) ?? '')
      const archive = objects.get(`${prefix}archives/${month}.tar.gz`)
      const isWhole = index !== undefined && archive?.octets.length === index.sizeOctets
      if (!isWhole || !index.entries.some((entry) => entry.name === name)) missing.push(`${list}: ${name}`)
    }
  }
  const latest = read('latest.json')
  if (latest !== undefined) JSON.parse(latest)
  return missing
}
