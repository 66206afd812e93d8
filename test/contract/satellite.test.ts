import { readdirSync, readFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { describe, expect, test } from 'vitest'
import { makeTestDirectory } from '../alert-fixtures/alert-parts.ts'
import { SATELLITE_ROWS } from '../satellite-fixtures/satellite-rows.ts'
import { runSimulatedCli, type CliOutcome } from './simulated-cli.ts'

const JUDGED = ['v1', 'v2.0', 'v2.1', 'v2.2', 'v2.3'].map((flavour) => SATELLITE_ROWS[flavour]?.['judged'] ?? {})
const LINES = toLines(JUDGED)

function toLines(records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}

function put(directory: string, path: string, content: string | Uint8Array): string {
  const full = join(directory, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, content)
  return full
}

async function makeTar(files: Readonly<Record<string, string | Uint8Array>>): Promise<Uint8Array> {
  const archive = pack()
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, Buffer.from(content))
  archive.entry({ name: 'raw/results.json', type: 'symlink', linkname: '/etc/passwd' })
  archive.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function readLines(path: string): readonly Readonly<Record<string, unknown>>[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}

function runImport(path: string, output: string, form = 'jsonl'): Promise<CliOutcome> {
  return runSimulatedCli(['satellite', 'import', path, '--as', form, '--output', output])
}

describe('candor satellite import', () => {
  test('reads a flat tree, a raw tree, gz, tar.gz and gz within tar.gz alike', async () => {
    const directory = makeTestDirectory()
    put(directory, 'flat/results.json', LINES)
    put(directory, 'deep/a/b/CP_Satellite-2021-04-18-12-00-01/raw/results.json', LINES)
    put(directory, 'packed/raw/results.json.gz', gzipSync(LINES))
    put(directory, 'archive.tar.gz', gzipSync(await makeTar({ 'CP/raw/results.json': LINES, 'CP/other.json': 'x' })))
    put(directory, 'twice.tgz', gzipSync(await makeTar({ 'results.json.gz': gzipSync(LINES) })))
    const rows: unknown[] = []
    for (const source of ['flat', 'deep', 'packed', 'archive.tar.gz', 'twice.tgz', 'flat/results.json']) {
      const output = join(directory, 'out', source)
      const { status, stdout } = await runImport(join(directory, source), output)
      expect(status).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ flavour: 'v1 v2.0 v2.1 v2.2 v2.3', rows: 5, quarantined: 0 })
      rows.push(readLines(join(output, 'rows.jsonl')))
      const columns = join(directory, 'columns', String(rows.length))
      expect(await runImport(join(directory, source), columns, 'columns')).toMatchObject({ status, stdout })
      const back = join(directory, 'back', String(rows.length))
      await runSimulatedCli(['satellite', 'convert', columns, '--format', 'source', '--output', back])
      const found = readdirSync(back, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'))
      expect(found.flatMap((name) => readLines(join(back, name)))).toEqual(JUDGED)
    }
    for (const each of rows) expect(each).toEqual(rows[0])
    expect(rows[0]).toMatchObject([
      { flavour: 'v1', resolver: '192.0.2.53' },
      { start_time: '2021-04-18T18:49:01.62448452Z' },
      { flavour: 'v2.1' },
      { country_code: 'XE' },
      { unknown: { class: 'expected/malformed_domain' } },
    ])
  })

  test('puts aside what cannot be read, with file, line and reason, and ends with status 3', async () => {
    const directory = makeTestDirectory()
    const endless = `{"vp":"${'x'.repeat(5 * 1024 * 1024)}"}`
    const path = put(directory, 'results.json', `${LINES}{"vp":\n\n${endless}\n[]\n${LINES}`)
    const output = join(directory, 'out')
    const { status, stdout, stderr } = await runImport(path, output)
    expect(status).toBe(3)
    expect(stderr).toContain('10 records of 1 files, 3 quarantined')
    expect(readLines(join(output, 'quarantine.jsonl'))).toEqual([
      { file: path, line: 6, reason: 'the line is no JSON' },
      { file: path, line: 8, reason: 'the line is longer than 4194304 octets' },
      { file: path, line: 9, reason: 'the line is no JSON object' },
    ])
    expect(readLines(join(output, 'rows.jsonl'))).toHaveLength(10)
    const columns = await runImport(path, join(directory, 'columns'), 'columns')
    expect([columns.status, columns.stdout]).toEqual([3, stdout])
    const aside = readFileSync(join(directory, 'columns/quarantine.jsonl'), 'utf8')
    expect(aside).toBe(readFileSync(join(output, 'quarantine.jsonl'), 'utf8'))
  })

  test('stops at a bomb and a damaged file, and writes nowhere else', async () => {
    const directory = makeTestDirectory()
    put(directory, 'in/bomb/results.json.gz', gzipSync(Buffer.alloc(80 * 1024 * 1024)))
    put(directory, 'in/cut/results.json.gz', gzipSync(LINES.repeat(200)).subarray(0, 400))
    put(directory, 'in/cut.tar.gz', gzipSync(await makeTar({ 'results.json': LINES.repeat(50) })).subarray(0, 300))
    put(
      directory,
      'in/evil.tar.gz',
      gzipSync(await makeTar({ '../../results.json': LINES, '/etc/results.json': LINES, 'a/results.json': LINES })),
    )
    const output = join(directory, 'out')
    const { status } = await runImport(join(directory, 'in'), output)
    expect(status).toBe(3)
    const reasons = readLines(join(output, 'quarantine.jsonl')).map(({ reason }) => reason)
    expect(reasons).toContain('it unpacks to far more than a scan can')
    expect(reasons).toContain('it is damaged from here on')
    const columns = join(directory, 'columns')
    expect((await runImport(join(directory, 'in'), columns, 'columns')).status).toBe(3)
    expect(readLines(join(columns, 'quarantine.jsonl'))).toEqual(readLines(join(output, 'quarantine.jsonl')))
    expect(reasons.filter((reason) => reason === 'the name leads out of the archive')).toHaveLength(2)
    expect(readdirSync(directory).toSorted()).toEqual(['columns', 'in', 'out'])
  })

  test('says what is wrong with its arguments', async () => {
    const directory = makeTestDirectory()
    put(directory, 'full/file', '')
    expect(await runImport(directory, join(directory, 'full'))).toMatchObject({ status: 2 })
    expect(await runImport(directory, join(directory, 'full/file'))).toMatchObject({ status: 2 })
    expect(await runImport(join(directory, 'nothing'), join(directory, 'a'))).toMatchObject({ status: 3 })
  })
})

describe('candor satellite convert', () => {
  test('writes the tree of each flavour', async () => {
    const directory = makeTestDirectory()
    put(directory, 'in/raw/results.json', LINES)
    put(directory, 'in/raw/responses.json', toLines([SATELLITE_ROWS['v2.1']?.['notJudged'] ?? {}]))
    put(directory, 'in/raw/tagged_resolvers.json', toLines([{ vp: 'a', location: { country_name: 'B' } }]))
    put(directory, 'in/raw/tagged_responses.json', toLines([{ ip: 'a', http: null, cert: 'c', asnum: 1, asname: '' }]))
    put(directory, 'in/raw/resolvers.json', toLines([{ vp: 'a', name: 'control' }]))
    const trees: Readonly<Record<string, readonly string[]>> = {
      v1: ['answers_err.json', 'interference.json', 'resolvers.json', 'tagged_answers.json', 'tagged_resolvers.json'],
      'v2.0': ['raw'],
      'v2.1': ['raw'],
      'v2.2': ['raw', 'resolvers.json', 'results.json'],
      source: ['raw'],
    }
    for (const [format, names] of Object.entries(trees)) {
      const output = join(directory, format)
      const { status } = await runSimulatedCli([
        'satellite',
        'convert',
        join(directory, 'in'),
        '--format',
        format,
        '--output',
        output,
      ])
      expect(status).toBe(0)
      expect(readdirSync(output).toSorted()).toEqual(names)
    }
    expect(readLines(join(directory, 'source/raw/results.json'))).toEqual(JUDGED)
    expect(readLines(join(directory, 'v2.2/results.json'))).toHaveLength(5)
    expect(readLines(join(directory, 'v1/tagged_resolvers.json'))).toMatchObject([{ resolver: 'a', country: 'B' }])
    expect(readLines(join(directory, 'v2.2/raw/tagged_responses.json'))).toEqual([
      { ip: 'a', http: '', cert: 'c', asnum: 1, asname: '' },
    ])
    expect(readLines(join(directory, 'v1/resolvers.json'))).toEqual([{ resolver: 'a', name: 'control' }])
  })
})

const CONTROL = [
  {
    vp: '192.0.2.54',
    test_url: 'www.example.org',
    response: [{ url: 'www.example.org', has_type_a: true, response: ['198.51.100.7'], error: 'null', rcode: 0 }],
    passed_control: true,
    connect_error: false,
  },
]
const TAGS = [
  { ip: '198.51.100.7', http: 'aa', cert: null, asname: 'EXAMPLE', asnum: 64500 },
  { ip: '198.51.100.9', http: 'bb', cert: null, asname: 'AMAZON-02', asnum: 64501 },
]

function respond(vp: string, answers: readonly string[]): object {
  const trial = { has_type_a: answers.length > 0, error: 'null', rcode: answers.length > 0 ? 0 : 3 }
  return {
    vp,
    test_url: 'www.example.org',
    response: [
      { url: 'control.example', has_type_a: true, response: ['192.0.2.4'], error: 'null', rcode: 0 },
      { ...trial, url: 'www.example.org', response: answers },
    ],
    passed_control: true,
    connect_error: false,
  }
}

function putScan(): string {
  const directory = makeTestDirectory()
  put(directory, 'in/raw/responses_control.json', toLines(CONTROL))
  put(directory, 'in/raw/tagged_responses.json', toLines([...TAGS, { ip: '198.51.100.8', http: 7 }]))
  put(
    directory,
    'in/raw/tagged_resolvers.json',
    toLines([{ vp: '192.0.2.53', location: { country_name: 'Exampleland', country_code: 'XE' } }]),
  )
  put(
    directory,
    'in/raw/responses.json',
    toLines([
      respond('192.0.2.53', ['198.51.100.7']),
      respond('192.0.2.55', ['198.51.100.9']),
      respond('192.0.2.56', []),
    ]),
  )
  return directory
}

describe('candor satellite detect, verify and explain', () => {
  test('go from responses to verified results', async () => {
    const directory = putScan()
    const [input, judged, verified] = ['in', 'judged', 'verified'].map((name) => join(directory, name))
    const detected = await runSimulatedCli(['satellite', 'detect', input ?? '', '--output', judged ?? ''])
    // One line of tags is malformed.
    expect(detected.status).toBe(3)
    expect(readLines(join(directory, 'judged/quarantine.jsonl'))).toMatchObject([
      { line: 3, reason: 'the tag http is no text' },
    ])
    expect(readLines(join(directory, 'judged/raw/results.json'))).toMatchObject([
      {
        vp: '192.0.2.53',
        location: { country_name: 'Exampleland', country_code: 'XE' },
        response: { '198.51.100.7': ['ip', 'http', 'asnum', 'asname'], rcode: ['0'] },
        passed_control: true,
        anomaly: false,
        confidence: { average: 100, matches: [100], untagged_controls: false, untagged_response: false },
      },
      { vp: '192.0.2.55', response: { '198.51.100.9': [] }, anomaly: true },
      { vp: '192.0.2.56', response: { rcode: ['3'] }, anomaly: true, confidence: { matches: null } },
    ])
    expect(readLines(join(directory, 'judged/findings.jsonl'))).toMatchObject([
      { vp: '192.0.2.53', country_code: 'XE', findings: [{ rule: 'answer-in-control', version: 1 }, {}, {}, {}] },
      { vp: '192.0.2.55', findings: [{ rule: 'bogon-answer' }] },
      { vp: '192.0.2.56', findings: [{ rule: 'nxdomain-against-control', evidence: { control_answered: 1 } }] },
    ])
    put(directory, 'judged/raw/tagged_responses.json', toLines(TAGS))
    expect(
      await runSimulatedCli(['satellite', 'verify', judged ?? '', '--output', verified ?? '', '--quiet']),
    ).toMatchObject({ status: 0 })
    expect(readLines(join(directory, 'verified/raw/results_verified.json'))).toMatchObject([
      { vp: '192.0.2.55', excluded: true, exclude_reason: ['is_CDN', 'domain_below_threshold'] },
      { vp: '192.0.2.56', excluded: false, exclude_reason: [] },
    ])
    put(directory, 'judged/raw/results.json', `${readFileSync(join(directory, 'judged/raw/results.json'), 'utf8')}[]\n`)
    const later = join(directory, 'later')
    await runSimulatedCli([
      'satellite',
      'verify',
      judged ?? '',
      '--output',
      later,
      '--format',
      'v2.2',
      '--publish-as',
      'results.json',
    ])
    expect(readLines(join(later, 'quarantine.jsonl'))).toMatchObject([{ line: 4 }])
    expect(readLines(join(later, 'results.json'))).toMatchObject([
      { anomaly: false, excluded: false, candor: { converted_from: 'v2.1' } },
      { anomaly: true, excluded: true },
      { anomaly: true, excluded: false },
    ])
  })

  test('judge v1 by its own files', async () => {
    const directory = makeTestDirectory()
    const row = (resolver: string, query: string, answers: readonly string[]): object => ({ resolver, query, answers })
    put(directory, 'in/answers_control.json', toLines([row('192.0.2.54', 'a.example', ['198.51.100.7'])]))
    put(directory, 'in/answers.json', toLines([row('c', 'a.example', ['198.51.100.7']), row('c', 'b.example', ['x'])]))
    put(directory, 'in/tagged_answers.json', toLines(TAGS))
    const output = join(directory, 'out')
    expect(await runSimulatedCli(['satellite', 'detect', join(directory, 'in'), '--output', output])).toMatchObject({
      status: 0,
    })
    expect(readLines(join(output, 'interference.json'))).toEqual([
      {
        resolver: 'c',
        query: 'a.example',
        answers: { '198.51.100.7': ['ip', 'http', 'asnum', 'asname'] },
        passed: true,
      },
    ])
    expect(readLines(join(output, 'interference_err.json'))).toEqual([row('c', 'b.example', ['x'])])
  })

  test('explain one pair, as text and as JSON', async () => {
    const input = join(putScan(), 'in')
    const explain = ['satellite', 'explain', input, '--domain', 'www.example.org', '--vp']
    const text = await runSimulatedCli([...explain, '192.0.2.55', '--records', 'table'])
    expect(text.stdout).toContain('control: 1 of 1 resolvers answered; 198.51.100.7')
    expect(text.stdout).toContain('198.51.100.9: AS64501 AMAZON-02')
    expect(text.stdout).toContain('anomaly: true')
    expect(text.stdout).toContain('finding bogon-answer: interference 0')
    const json = await runSimulatedCli([...explain, '192.0.2.53'])
    expect(JSON.parse(json.stdout)).toMatchObject({ row: { anomaly: false }, control: { asnum: [64500], answered: 1 } })
    expect(await runSimulatedCli([...explain, '192.0.2.99'])).toMatchObject({ status: 1 })
  })
})
