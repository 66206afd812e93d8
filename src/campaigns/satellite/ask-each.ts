/**
 * Puts one question for each of many addresses: to the address itself, or about it to any of a few servers.
 *
 * **Invariant**: draws no conclusion. What was interrupted, or failed on our side, does not come out.
 */
import { randomInt } from '../../core/random.ts'
import type { Name } from '../../dns/name.ts'
import { formatName } from '../../dns/name.ts'
import type { EngineTask } from '../../measure/engine/engine-task.ts'
import { runEngine } from '../../measure/engine/run-engine.ts'
import type { AskRecord } from './ask-record.ts'
import { createAskPolicy, createDnsResolvers, type AskCaps, type DnsAsk } from './dns-asker.ts'
import { trialOf } from './pair-record.ts'
import type { AskingMachine } from './query-pairs.ts'

/** SERVFAIL and REFUSED. */
const SERVER_FAILS: readonly number[] = [2, 5]

/** A question for an address. */
export interface EachAsk {
  readonly address: string
  readonly name: Name
  readonly type: number
}

/** What is asked of whom. */
export interface EachPlan {
  /** In their order, a few at a time. */
  readonly asks: readonly EachAsk[]
  /** Servers that are asked about the addresses; `undefined` asks the addresses themselves. */
  readonly servers: readonly string[] | undefined
  readonly purpose: 'control' | 'test'
  readonly seed: string
  readonly caps: AskCaps
  /** How often, where nothing comes; of several servers another one each time. */
  readonly attempts: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

interface Content extends DnsAsk {
  readonly address: string
}

/** Asks. @returns What came, as it ends. */
export async function* askEach(machine: AskingMachine, plan: EachPlan): AsyncGenerator<AskRecord, void, void> {
  const servers = plan.servers ?? plan.asks.map(({ address }) => address)
  if (servers.length === 0 || plan.asks.length === 0) return
  const asked = createAskPolicy(servers, plan.caps, machine.addressPlan, plan)
  // A server that fails says nothing about an address; another one may.
  const policy = plan.servers === undefined ? asked : { ...asked, retry: { ...asked.retry, rcodes: SERVER_FAILS } }
  const wallOffsetMs = machine.clock.wallNowMs() - machine.clock.nowMs()
  const results = runEngine<Content>({
    clock: machine.clock,
    random: machine.createRandom(`${plan.seed}:servers`),
    resolvers: createDnsResolvers<Content>(machine, servers),
    policy,
    tasks: listTasks(machine, plan),
    signal: plan.signal,
    isUsable: () => true,
  })
  for await (const result of results) {
    const isOurs = result.attempts.every(({ exchange }) => exchange.kind === 'failure' && exchange.side === 'us')
    if (isOurs || result.isCut) continue
    const { address, name } = result.task.content
    yield { address, trial: trialOf(plan.purpose, formatName(name), result, wallOffsetMs) }
  }
}

async function* listTasks(machine: AskingMachine, plan: EachPlan): AsyncGenerator<EngineTask<Content>, void, void> {
  for (const [number, ask] of plan.asks.entries()) {
    const id = randomInt(machine.createRandom(`${plan.seed}:${ask.address}`), 0x1_0000)
    yield await Promise.resolve({
      content: { ...ask, id },
      number,
      resolver: plan.servers === undefined ? number : undefined,
    })
  }
}
