import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ChannelKind } from '../../src/alerts/channel.ts'
import { createChannels } from '../../src/alerts/create-channels.ts'
import { serveHttp, type ServedRequest } from '../../src/lab/http-server.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeHttp } from '../../src/platform/node-http.ts'
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
})
