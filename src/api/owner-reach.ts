/**
 * What a token of one owner may read where reading is protected: the owner's page, the owner's names, and their incidents.
 *
 * Invariant: what is not on the list is not read, so a new address is closed to such tokens until somebody opens it.
 */
import type { MonitorSource } from '../model/monitor-view.ts'

/** Decides whether a token of an owner may read an address. */
export type OwnerReach = (url: URL, owner: string) => Promise<boolean>

/** Style, script and icons of every page. */
const ASSETS = /^\/(?:assets\/[\w.-]+|favicon\.ico|robots\.txt)$/
const NAME = /^\/(?:monitor\/names|api\/v1\/monitors)\/([\w*.-]+)\/([A-Za-z]+)(?:\/(?:rounds|hours|changes))?$/
const INCIDENT = /^\/(?:api\/v1\/)?incidents\/(monitor-[0-9a-f]{16}-\d+)$/

/** Makes the decision. Without a monitor there is nothing that belongs to an owner. */
export function createOwnerReach(monitor: Pick<MonitorSource, 'name' | 'incident'> | undefined): OwnerReach {
  return async (url, owner) => {
    const path = decodePath(url.pathname)
    if (path === undefined) return false
    if (ASSETS.test(path)) return true
    if (monitor === undefined) return false
    if (path === `/monitor/owners/${owner}`) return true
    if (path === '/api/v1/monitors') return url.searchParams.getAll('owner').join('\n') === owner
    const [, domain = '', type = ''] = NAME.exec(path) ?? []
    if (domain !== '') return monitor.name(`${domain.toLowerCase()}/${type.toUpperCase()}`)?.monitored.owner === owner
    const id = INCIDENT.exec(path)?.[1]
    return id !== undefined && (await monitor.incident(id))?.monitored?.owner === owner
  }
}

/** @returns `undefined` for octets that are no text. */
function decodePath(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}
