/** The parts of the domains campaign, put together from the settings: lists, upstreams, the pool. */
import { findOperator, type DomainResolver } from '../campaigns/domains/domain-resolver-spec.ts'
import {
  addDomainList,
  createDomainLists,
  fanOut,
  readDomainName,
  readFanOut,
  type DomainLists,
} from '../campaigns/domains/read-domain-list.ts'
import { ResolverPool, type SavedPool } from '../campaigns/domains/resolver-pool.ts'
import { POOL_KEY } from '../campaigns/domains/domain-campaign.ts'
import type { DomainSettings } from '../config/domain-settings.ts'
import { ConfigError } from '../core/config-error.ts'
import { canonicalIp, parseIp } from '../core/ip-address.ts'
import type { DomainStore } from '../model/domain.ts'
import type { CliContext } from './cli-context.ts'
import { readNamedFile } from './load-settings.ts'
import { findResolver, parseResolver } from './query-resolver.ts'

const HOST_TIMEOUT_MS = 5_000

/** Reads all lists of the settings. @throws {ConfigError} When a file cannot be read. */
export async function readDomainLists(context: CliContext, settings: DomainSettings): Promise<DomainLists> {
  const lists = createDomainLists()
  const given = [
    ...settings.list.map((text) => ({ ...splitLabel(text), wildcard: false })),
    ...settings.wildcardList.map((text) => ({ ...splitLabel(text), wildcard: true })),
    ...settings.lists.map(({ file, label, wildcard }) => {
      if (file === null) throw new ConfigError('domains.lists', 'a list without file', 'file = "domains.txt"')
      return { file, label: label ?? labelOf(file), wildcard }
    }),
  ]
  for (const { file, label, wildcard } of given)
    addDomainList(lists, label, await readNamedFile(context.files, '--list', file), wildcard)
  if (settings.fanOut !== null) {
    const { labels, badLines } = readFanOut(await readNamedFile(context.files, '--fan-out', settings.fanOut))
    const [first] = badLines
    if (first !== undefined)
      throw new ConfigError(`${settings.fanOut}:${first}`, 'this is no label', 'one a line: www, cdn.eu')
    fanOut(lists, labels, settings.fanOutCap)
  }
  return lists
}

/** Looks at everything that the settings name, and changes nothing. @throws {ConfigError} */
export async function checkDomains(context: CliContext, settings: DomainSettings): Promise<void> {
  checkDomainSettings(settings)
  if (!hasLists(settings)) return
  const { domains } = await readDomainLists(context, settings)
  if (domains.size === 0)
    throw new ConfigError(
      'domains.lists',
      'no line of them names a domain',
      'one name a line, such as shop.zone.example',
    )
  await openResolverPool(context, settings, { text: () => undefined })
}

/** Whether the settings name a list at all. */
export function hasLists({ list, wildcardList, lists }: DomainSettings): boolean {
  return list.length + wildcardList.length + lists.length > 0
}

/**
 * Puts the pool together, with what earlier runs learned.
 *
 * @throws {ConfigError} When an upstream cannot be used, or there is none.
 */
export async function openResolverPool(
  context: CliContext,
  settings: DomainSettings,
  store: Pick<DomainStore, 'text'>,
): Promise<ResolverPool> {
  const resolvers: DomainResolver[] = []
  for (const text of settings.resolvers) {
    const resolver = await readResolver(context, settings, text)
    if (resolvers.some(({ name }) => name === resolver.name))
      throw new ConfigError(`--resolvers ${resolver.name}`, 'it is named twice', 'each upstream once')
    resolvers.push(resolver)
  }
  if (resolvers.length === 0)
    throw new ConfigError(
      '--resolvers',
      'there is nobody to ask: no upstream is used unless you name it',
      "--resolvers '192.0.2.53 home' --resolvers quad9 --resolvers cloudflare",
    )
  const saved = store.text(POOL_KEY)
  return new ResolverPool(resolvers, context.clock, saved === undefined ? undefined : (JSON.parse(saved) as SavedPool))
}

/** @throws {ConfigError} When a name or an address among the canaries or sinkholes is none. */
export function checkDomainSettings({ canaries, canaryZone, canaryBlocked, sinkholes }: DomainSettings): void {
  for (const name of [...canaries, canaryZone, canaryBlocked]) {
    const read = name === null ? undefined : readDomainName(name)
    if (read !== undefined && 'reason' in read)
      throw new ConfigError(`canary ${String(name).slice(0, 80)}`, read.reason, 'a name such as www.zone.example')
  }
  for (const address of sinkholes)
    if (canonicalIp(address) === undefined)
      throw new ConfigError(`--sinkholes ${address.slice(0, 80)}`, 'it is no address', '--sinkholes 192.0.2.1')
}

async function readResolver(context: CliContext, settings: DomainSettings, text: string): Promise<DomainResolver> {
  const [place = '', given, ...rest] = text.trim().split(/\s+/)
  if (rest.length > 0)
    throw new ConfigError(`--resolvers ${text.slice(0, 80)}`, 'RESOLVER or RESOLVER OPERATOR', "'192.0.2.53 home'")
  // Do53 has no scheme of its own where one resolver is named; here it may have.
  const udp = /^udp:\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/?$/.exec(place)
  const bare = udp === null ? place : `${udp[1]}${udp[2] === undefined ? '' : `#${udp[2]}`}`
  const named = parseResolver(bare, {
    tcp: false,
    tls: false,
    https: false,
    json: false,
    get: false,
    port: undefined,
    tlsName: undefined,
    isVerified: true,
    authorities: settings.resolverCa ?? undefined,
  })
  const { target } = await findResolver(context, named, HOST_TIMEOUT_MS)
  const octets = parseIp(target.endpoint.address)
  const isPublic = octets !== undefined && context.addressPlan.isPublic(octets)
  return {
    name: place,
    operator: given ?? findOperator(target.endpoint.address, context.addressPlan),
    target,
    perSecond: isPublic ? settings.queriesPerSecond : 0,
  }
}

function splitLabel(text: string): { readonly file: string; readonly label: string } {
  const at = text.indexOf('=')
  return at > 0 ? { label: text.slice(0, at), file: text.slice(at + 1) } : { label: labelOf(text), file: text }
}

function labelOf(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '')
}
