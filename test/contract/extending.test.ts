import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { encode } from 'dns-packet'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ChannelKind } from '../../src/alerts/channel.ts'
import { createChannels } from '../../src/alerts/create-channels.ts'
import type * as MonitorAnswer from '../../src/campaigns/monitor/read-monitor-answer.ts'
import type * as MonitorFile from '../../src/config/monitor-file.ts'
import { parseMonitorFile as parseRealFile } from '../../src/config/monitor-file.ts'
import { publicAddressPlan } from '../../src/core/address-plan.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { serveHttp, type ServedRequest } from '../../src/lab/http-server.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeHttp } from '../../src/platform/node-http.ts'
import type { HttpClient } from '../../src/net/http-client.ts'
import type * as MonitorJudge from '../../src/verdicts/monitor-judge.ts'
import { createMonitorState } from '../../src/verdicts/monitor-profile.ts'
import { askOverFetch } from '../../src/worker/ask-over-fetch.ts'
import { startDohWorld } from '../worker-fixtures/doh-world.ts'
import { exampleMessage, exampleSettings, sendAll } from '../alert-fixtures/alert-parts.ts'
import { HOME, readText } from '../tidy/source-tree.ts'

/** The file that a recipe says to write, as it stands on the page. */
function readRecipe(page: string, path: string): string {
  const [, code = ''] = new RegExp(`\`${path}\`:\\n\\n +\`\`\`ts\\n([\\s\\S]*?)\\n +\`\`\``).exec(page) ?? []
  return code.replaceAll(/^ {3}/gm, '')
}

/** A copy of src/ made of links, so that a file can be added to a room without touching the project. */
function linkSources(room: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'candor-extending-'))
  onTestFinished(() => {
    rmSync(directory, { recursive: true })
  })
  const link = (from: string, to: string): void => {
    symlinkSync(from, to)
  }
  const src = join(HOME, 'src')
  mkdirSync(join(directory, 'src', room), { recursive: true })
  for (const name of readdirSync(src)) if (name !== room) link(join(src, name), join(directory, 'src', name))
  for (const name of readdirSync(join(src, room))) link(join(src, room, name), join(directory, 'src', room, name))
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  return join(directory, 'src', room)
}

/** A copy of src/ in which the line of a recipe stands at the front of the list that it names. */
function followRecipe(page: string, list: string, path: string): string {
  const recipe = new RegExp(`\`${list}\` in \`${path}\`:\\n\\n +\`\`\`ts\\n +([^\\n]+)\\n`).exec(page)?.[1] ?? ''
  const directory = mkdtempSync(join(tmpdir(), 'candor-extending-'))
  onTestFinished(() => {
    rmSync(directory, { recursive: true })
  })
  cpSync(join(HOME, 'src'), join(directory, 'src'), { recursive: true, filter: (from) => !from.endsWith('.test.ts') })
  symlinkSync(join(HOME, 'node_modules'), join(directory, 'node_modules'))
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  const text = readText(path)
  const extended = text.replace(new RegExp(`(export const ${list}[^=]*= \\[)`), `$1\n${recipe}`)
  expect([recipe, extended.length]).toEqual([expect.stringMatching(/,$/), text.length + recipe.length + 1])
  writeFileSync(join(directory, path), extended)
  return join(directory, 'src')
}

async function load<T>(src: string, path: string): Promise<T> {
  return (await import(pathToFileURL(join(src, path)).href)) as T
}

describe('docs/extending.md', () => {
  test('has a recipe for a channel that works as it stands', async () => {
    const code = readRecipe(readText('docs/extending.md'), 'src/alerts/pager-channel.ts')
    expect(code).toContain('export const pagerChannel')
    const path = join(linkSources('alerts'), 'pager-channel.ts')
    writeFileSync(path, code)
    const { pagerChannel } = (await import(pathToFileURL(path).href)) as { readonly pagerChannel: ChannelKind }

    const requests: ServedRequest[] = []
    const server = await serveHttp((request) => {
      requests.push(request)
      return { status: 200, body: '' }
    })
    onTestFinished(() => server.close())
    const settings = exampleSettings({ kind: 'pager', url: server.url })
    const environment = { CANDOR_PAGER_TOKEN: 'secret' }
    const parts = { files: nodeFiles, http: nodeHttp, clock: nodeClock, environment, timeoutMs: 5_000 }
    const [configured] = await createChannels([settings], [pagerChannel], parts)
    if (configured === undefined) throw new Error('no channel was made')
    expect(await sendAll(configured.channel, exampleMessage('m', { title: 'two\nlines' }))).toEqual(['sent'])
    expect(requests).toMatchObject([
      {
        method: 'PUT',
        body: 'medium: two lines',
        headers: { authorization: 'Bearer secret', 'x-id': 'm.1' },
      },
    ])
  })

  test('has a recipe for a resolver: one line, and rounds ask it', async () => {
    const src = followRecipe(
      readText('docs/extending.md'),
      'DEFAULT_MONITOR_RESOLVERS',
      'src/config/monitor-resolver-url.ts',
    )
    const { parseMonitorFile } = await load<typeof MonitorFile>(src, 'config/monitor-file.ts')
    const plan = parseMonitorFile('dns-monitor.toml', '[[domains]]\ndomain = "shop.zone.example"\n')
    expect(plan.names[0]?.resolvers).toEqual(['example', 'cloudflare', 'google', 'quad9'])
    await using doh = await startDohWorld(() => ['192.0.2.80'])
    // The hosts of all resolvers are on loopback.
    const http: HttpClient = {
      request: (request) => {
        const url = new URL(request.url)
        const headers = { ...request.headers, 'x-host': url.host }
        return nodeHttp.request({ ...request, headers, url: `${doh.url}${url.pathname}${url.search}` })
      },
    }
    const random = createSeededRandom('recipe')
    const asker = { http, random, addressPlan: publicAddressPlan, timeoutMs: 5_000 }
    const [name] = plan.names
    if (name === undefined) throw new Error('no name was read')
    const round = await askOverFetch(asker, plan, name, { atMs: 0, isConfirmation: false })
    expect(round.answers[0]).toMatchObject({ resolver: 'example', operator: 'example', outcome: 'answer' })
    expect(doh.questions).toContain('dns.resolver.example shop.zone.example A')
  })

  test('has a recipe for a record type: one word, and it is read, asked for and judged', async () => {
    const src = followRecipe(readText('docs/extending.md'), 'MONITOR_TYPES', 'src/model/monitor-name.ts')
    const { parseMonitorFile } = await load<typeof MonitorFile>(src, 'config/monitor-file.ts')
    const { readMonitorAnswer } = await load<typeof MonitorAnswer>(src, 'campaigns/monitor/read-monitor-answer.ts')
    const { judgeMonitorRound } = await load<typeof MonitorJudge>(src, 'verdicts/monitor-judge.ts')
    const toml = '[[domains]]\ndomain = "_443._tcp.shop.zone.example"\nrecord_type = "TLSA"\n'
    expect(() => parseRealFile('dns-monitor.toml', toml)).toThrow('TLSA')
    const [name] = parseMonitorFile('dns-monitor.toml', toml).names
    if (name === undefined) throw new Error('no name was read')
    const record = {
      name: name.domain,
      type: 'TLSA',
      ttl: 60,
      data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from('aabb', 'hex') },
    } as const
    const octets = encode({ type: 'response', questions: [{ name: name.domain, type: 'TLSA' }], answers: [record] })
    const oddities = { wrongId: 0, wrongSource: 0, wrongQuestion: 0, malformed: 0 }
    const exchange = { kind: 'responses', responses: [{ octets, elapsedMs: 1 }], oddities } as const
    const answer = readMonitorAnswer(exchange, name.type, false, publicAddressPlan, [])
    expect(answer).toMatchObject({ outcome: 'answer', units: [{ text: expect.stringMatching(/^3 1 1 /) as string }] })
    const corroboration = {
      authoritative: 'unknown',
      dnssec: 'unknown',
      tls: 'unknown',
      parentNs: 'unknown',
      parentDs: 'unknown',
    } as const
    const answers = ['a', 'b'].map((operator) => ({ resolver: operator, operator, ...answer }))
    const judged = judgeMonitorRound(createMonitorState(), name, {
      atMs: 1,
      isConfirmation: false,
      answers,
      corroboration,
    })
    expect([judged.isBaseline, Object.keys(judged.state.profile.units)]).toEqual([true, [answer.units[0]?.text]])
  })
})
