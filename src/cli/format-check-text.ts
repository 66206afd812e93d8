/** What `candor monitor check` shows of a name: a record for programs, and lines for people. */
import { cleanLine } from '../alerts/plain-text.ts'
import type { MonitorClass, MonitorNotice } from '../model/monitor-state.ts'
import type { MonitorConsensus } from '../verdicts/monitor-consensus.ts'
import type { AddressRisk } from '../verdicts/monitor-risk.ts'

/** One name and type; docs/formats/monitor.md. */
export interface MonitorCheckRecord {
  readonly name: string
  readonly domain: string
  readonly record_type: string
  /** ISO 8601 UTC. */
  readonly checked_at: string
  readonly class: MonitorClass
  /** Whether nothing was known, so that this round is what is normal. */
  readonly is_baseline: boolean
  readonly consensus: MonitorConsensus
  readonly answers: readonly CheckedAnswer[]
  readonly would_tell: readonly Pick<MonitorNotice, 'title' | 'severity' | 'channel'>[]
}

interface CheckedAnswer {
  readonly resolver: string
  readonly operator: string
  readonly outcome: string
  readonly reason: string | null
  readonly answer: string
  readonly class: MonitorClass
  readonly ttl_seconds: number | null
  readonly values: readonly {
    readonly value: string
    readonly class: MonitorClass
    readonly asn: number | null
    readonly country: string | null
    readonly risk?: AddressRisk
  }[]
}

const MEANINGS: Readonly<Record<MonitorClass, string>> = {
  K0: 'as known',
  K1: 'a new address in a known prefix',
  K2: 'a new prefix in a known AS',
  K3: 'new',
  K4: 'an address that no public name has',
  K5: 'no answer where there was one',
  K6: 'no answer from any resolver',
}

/** Formats a record as lines that end with an empty one. Control characters of strangers do not get through. */
export function formatCheckText(record: MonitorCheckRecord): string {
  const { consensus, answers, would_tell: told } = record
  const width = Math.max(...answers.map(({ resolver }) => resolver.length), 9)
  const lines = [
    `${record.name}: ${record.domain} ${record.record_type}`,
    ...answers.map(({ resolver, answer, reason, class: each }) => {
      const text = reason === null || answer === reason ? answer : `${answer} (${reason})`
      return `  ${resolver.padEnd(width)}  ${each}  ${text}`
    }),
    `  ${'consensus'.padEnd(width)}      ${formatConsensus(consensus)}`,
    record.is_baseline
      ? '  the first round: this is what is normal from now on'
      : `  ${record.class}: ${MEANINGS[record.class]}`,
    ...told.map(({ title, severity, channel }) => `  if it stays: ${title} (${severity}, ${channel})`),
  ]
  return `${lines.map(formatLine).join('\n')}\n\n`
}

function formatLine(line: string): string {
  const indent = line.length - line.trimStart().length
  return `${line.slice(0, indent)}${cleanLine(line)}`
}

function formatConsensus(consensus: MonitorConsensus): string {
  switch (consensus.kind) {
    case 'agreed':
      return `${consensus.answer} (${consensus.votes} of ${consensus.of})`
    case 'tie':
      return `a tie between ${consensus.answers.join(' and ')}`
    case 'none':
      return 'none: nobody answered'
  }
}
