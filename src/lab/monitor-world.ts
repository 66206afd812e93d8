/**
 * The monitor's world: resolvers of three operators (HTTPS, TLS, plain), two servers of the parent, two authoritative
 * servers, and a script for each name.
 *
 * Invariant: everything listens on loopback; what is said follows from the scripts, the seed and the world's clock.
 */
import { joinPath } from '../core/files.ts'
import { formatIsoTime } from '../core/clock.ts'
import type { DnsMessage } from '../dns/message.ts'
import type { Endpoint } from '../net/net.ts'
import type { LaboratoryRoute } from './laboratory-net.ts'
import { createMonitorAnswers, scriptDomain, toLabAddress, type MonitorAnswers } from './monitor-answers.ts'
import { createMonitorScripts, type MonitorScript, type ScriptTimes } from './monitor-scripts.ts'
import { createQuestionCounter, type QuestionCounter } from './question-counter.ts'
import { serveDns } from './serve-dns.ts'
import { serveDoh } from './serve-doh.ts'
import { serveDot } from './serve-dot.ts'
import type { Site } from './site-group.ts'
import { startSiteServers } from './site-servers.ts'
import type { World, WorldMachine, WorldOptions } from './world.ts'

const MODE = 0o600
const PARENTS = ['127.252.0.61', '127.252.0.62']
const SERVERS = ['127.252.0.63', '127.252.0.64']
const RESOLVERS = [
  { name: 'one', operator: 'Resolver One', address: '127.252.0.71', url: 'https://doh.one.example/dns-query' },
  { name: 'two', operator: 'Resolver Two', address: '127.252.0.72', url: 'tls://dot.two.example' },
  { name: 'three', operator: 'Resolver Three', address: '127.252.0.73', url: 'udp://127.252.0.73' },
] as const
/** Whoever builds a laboratory has so long to begin watching. */
const START_MINUTE = 5
const TIMES: ScriptTimes = { startMinute: START_MINUTE, driftMinutes: 10, lagMinutes: [0, 1, 2], liar: 1 }

/** What the world has beside servers. */
export interface MonitorWorld extends World {
  readonly scripts: readonly MonitorScript[]
  /** Questions that came, by resolver. */
  readonly questions: QuestionCounter
}

/** How the world differs from the one that everybody gets. */
export interface MonitorWorldTimes extends Partial<ScriptTimes> {
  /** `60s`: how often names are asked. */
  readonly interval?: string
}

/** Makes the start function for times of one's own. Scripts act by the clock of the machine that it is given. */
export function createMonitorWorld(
  changes: MonitorWorldTimes = {},
): (machine: WorldMachine, options: WorldOptions) => Promise<MonitorWorld> {
  return async (machine, { seed, directory, authority }) => {
    const { interval = '2s', ...times } = changes
    const scripts = createMonitorScripts({ ...TIMES, ...times })
    const { clock } = machine
    const answers = createMonitorAnswers({
      scripts,
      seed,
      clock,
      startedAtMs: clock.nowMs(),
      startMinute: times.startMinute ?? START_MINUTE,
      servers: SERVERS,
    })
    const questions = createQuestionCounter(clock)
    await using undo = new AsyncDisposableStack()
    const routes: LaboratoryRoute[] = []
    await startAuthorities(machine, answers, routes, undo)
    await startResolvers(machine, authority, answers, questions, routes, undo)
    const sites = await startSiteServers(groupsOf(scripts), authority, clock.wallNowMs())
    undo.defer(() => sites.close())
    routes.push(...sites.routes)
    const config = joinPath(directory, 'dns-monitor.toml')
    const history = joinPath(directory, 'history.jsonl')
    await machine.files.writeAtomic(config, formatConfig(scripts, interval), MODE)
    await machine.files.writeAtomic(history, formatHistory(scripts, clock.wallNowMs()), MODE)
    const kept = undo.move()
    const data = joinPath(directory, 'data')
    return {
      scripts,
      questions,
      description: {
        summary: `${scripts.length} names with a script each, which act ${times.startMinute ?? START_MINUTE} minutes after the start; first: candor lab run -- monitor import ${history} --history --config ${config} --data-dir ${data}`,
        command: `monitor run --config ${config} --data-dir ${data}`,
        config,
        history,
        truth: Object.fromEntries(scripts.map((script) => [scriptDomain(script), toTruth(script)])),
      },
      routes,
      environment: {},
      close: () => kept.disposeAsync(),
    }
  }
}

function toTruth({ title, mode, outcome }: MonitorScript): object {
  const { pages, tickets, subject, digest, end, withinMinutes } = outcome
  return { title, mode, pages, tickets, subject, digest, end, within_minutes: withinMinutes }
}

async function startAuthorities(
  { net }: WorldMachine,
  answers: MonitorAnswers,
  routes: LaboratoryRoute[],
  undo: AsyncDisposableStack,
): Promise<void> {
  const start = async (address: string, say: (query: DnsMessage) => DnsMessage): Promise<void> => {
    const server = await serveDns(net, { address, port: 0 }, (query) => Promise.resolve(say(query)))
    undo.defer(() => server.close())
    routes.push(...bothRoutes(address, server.endpoint))
  }
  for (const address of PARENTS) await start(address, (query) => answers.delegate(query))
  for (const [index, address] of SERVERS.entries()) await start(address, (query) => answers.serve(index, query))
}

async function startResolvers(
  { net }: WorldMachine,
  authority: WorldOptions['authority'],
  answers: MonitorAnswers,
  questions: QuestionCounter,
  routes: LaboratoryRoute[],
  undo: AsyncDisposableStack,
): Promise<void> {
  const [one, two, three] = RESOLVERS
  const say = (index: number): ((query: DnsMessage) => Promise<DnsMessage>) => {
    return (query) => {
      questions.count(RESOLVERS[index]?.name ?? '')
      return Promise.resolve(answers.resolve(index, query))
    }
  }
  const doh = await serveDoh(one.address, authority.issue({ names: ['doh.one.example', one.address] }), say(0))
  undo.defer(() => doh.close())
  routes.push({ protocol: 'tcp', address: one.address, port: 443, to: doh.endpoint })
  const behind = await serveDns(net, { address: two.address, port: 0 }, say(1))
  undo.defer(() => behind.close())
  const certificate = authority.issue({ names: ['dot.two.example', two.address] })
  const dot = await serveDot(two.address, certificate, behind.endpoint)
  undo.defer(() => dot.close())
  routes.push({ protocol: 'tcp', address: two.address, port: 853, to: dot.endpoint })
  const plain = await serveDns(net, { address: three.address, port: 0 }, say(2))
  undo.defer(() => plain.close())
  routes.push(...bothRoutes(three.address, plain.endpoint))
}

function bothRoutes(address: string, to: Endpoint): readonly LaboratoryRoute[] {
  return (['udp', 'tcp'] as const).map((protocol) => ({ protocol, address, port: 53, to }))
}

/** Servers with a certificate, for names that moved rightly. */
function groupsOf(scripts: readonly MonitorScript[]): Parameters<typeof startSiteServers>[0] {
  return scripts
    .filter(({ certified }) => certified.length > 0)
    .map((script) => {
      const host = scriptDomain(script)
      const site: Site = {
        certificate: { id: host, names: [host], isTrusted: true },
        page: { status: 200, body: '<p>moved</p>\n', isDynamic: false },
      }
      return { addresses: script.certified.map(toLabAddress), sites: new Map([[host, site]]), fallback: site }
    })
}

function formatConfig(scripts: readonly MonitorScript[], interval: string): string {
  const quote = (text: string): string => JSON.stringify(text)
  const resolvers = RESOLVERS.map(({ name, operator, address, url }) => [
    '[[resolvers]]',
    `name = ${quote(name)}`,
    `operator = ${quote(operator)}`,
    `url = ${quote(url)}`,
    `address = ${quote(address)}`,
  ])
  const names = scripts.map((script) => [
    '[[domains]]',
    `name = ${quote(script.title)}`,
    `domain = ${quote(scriptDomain(script))}`,
    'record_type = "A"',
    'category = "scripts"',
    `interval = ${quote(interval)}`,
  ])
  return [[`roots = ${JSON.stringify(PARENTS)}`], ...resolvers, ...names]
    .map((lines) => lines.join('\n'))
    .join('\n\n')
    .concat('\n')
}

/** What was seen before the world began, in the form of `candor monitor explain`. */
function formatHistory(scripts: readonly MonitorScript[], wallNowMs: number): string {
  const seen = { first_seen: formatIsoTime(wallNowMs - 7 * 86_400_000), last_seen: formatIsoTime(wallNowMs) }
  return scripts
    .map((script) => {
      const values = new Set<string>()
      for (let look = 0; look < 400; look++) {
        const moment = {
          minute: 0,
          resolver: look % 3,
          asked: 1,
          draw: (below: number) => look % below,
          roundDraw: look,
        }
        const said = script.answer(moment)
        if (typeof said !== 'string' && said.every(({ as }) => as < 66))
          for (const each of said) values.add(toLabAddress(each))
      }
      return JSON.stringify({
        domain: scriptDomain(script),
        record_type: 'A',
        ttl_seconds: { min: script.ttl(0), max: script.ttl(0) },
        values: [...values].toSorted().map((value) => ({ value, ...seen })),
      })
    })
    .join('\n')
    .concat('\n')
}
