import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BugError } from '../../src/core/assert.ts'
import { ConfigError, RunError } from '../../src/core/config-error.ts'
import { FileError } from '../../src/core/files.ts'
import { ProcessError } from '../../src/core/process-runner.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { createCliCapabilities, runSimulatedCli } from './simulated-cli.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

const FINGERPRINT = 'A'.repeat(40)

function writeTemporary(name: string, text: string): string {
  const path = join(makeTemporaryDirectory(), name)
  writeFileSync(path, text)
  return path
}

describe('runCli', () => {
  test('prints the version', async () => {
    expect(await runSimulatedCli(['--version'])).toEqual({ status: 0, stdout: '9.9.9\n', stderr: '' })
  })

  test('prints help on stdout when it was asked for, on stderr when a command is missing', async () => {
    const asked = await runSimulatedCli(['--help'])
    expect(asked).toMatchObject({ status: 0, stderr: '' })
    expect(asked.stdout).toContain('exits')
    const missing = await runSimulatedCli([])
    expect(missing).toMatchObject({ status: 2, stdout: '' })
    expect(missing.stderr).toContain('Usage: candor')
  })

  test.each([
    [['exist'], 'candor exits'],
    [['exits', 'rnu'], 'candor exits run'],
    [['config', 'chekc'], 'candor config check'],
    [['config', 'check', '--shrad', '0/1'], 'candor config check --shard'],
    [['config', 'check', '--shard'], '`candor config check --help`'],
    [['config', 'check', 'everything'], '`candor config check --help`'],
    [['--verbosity', 'loud', 'config', 'check'], '`candor --help`'],
  ])('says what, why and the corrected form for %j', async (argv, fix) => {
    const outcome = await runSimulatedCli(argv)
    expect(outcome).toMatchObject({ status: 2, stdout: '' })
    const lines = outcome.stderr.split('\n')
    expect(lines[0]).toMatch(/^error: ./)
    expect(lines.find((line) => line.startsWith('  fix: '))).toContain(fix)
  })

  test('uses colours on a terminal only, and not with NO_COLOR', async () => {
    const escape = '\u001B['
    expect((await runSimulatedCli(['nothing'])).stderr).not.toContain(escape)
    expect((await runSimulatedCli(['nothing'], { isTerminal: true })).stderr).toContain(escape)
    const plain = await runSimulatedCli(['nothing'], { isTerminal: true, environment: { NO_COLOR: '1' } })
    expect(plain.stderr).not.toContain(escape)
  })

  test('ends quietly when nobody reads stdout', async () => {
    expect(await runSimulatedCli(['config', 'check'], { isStdoutClosed: true })).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    })
    expect(await runSimulatedCli(['--help'], { isStdoutClosed: true })).toMatchObject({ status: 0 })
  })
})

describe('printError', () => {
  test.each<readonly [string, Error, number, RegExp]>([
    [
      'a mistake',
      new ConfigError('--x', 'it is wrong', '--x 1'),
      2,
      /cannot use --x\n {2}why: it is wrong\n {2}fix: --x 1/,
    ],
    [
      'work that cannot be done',
      new RunError('the zone is down', 'mend it'),
      1,
      /error: the zone is down\n {2}fix: mend it/,
    ],
    ['a full disk', new FileError('ENOSPC', '/x/y'), 1, /\/x\/y\n {2}why: ENOSPC\n {2}fix: free some space/],
    ['a program that is not there', new ProcessError('ENOENT', 'tor'), 1, /cannot start tor/],
    [
      'a bug',
      new TypeError('x is not a function'),
      70,
      /a bug in Candor\n {2}why: TypeError: x is not a function\n +at /,
    ],
    ['a broken assumption', new BugError('must not be'), 70, /a bug in Candor/],
  ])('gives %s its status and its words', async (_name, error, status, text) => {
    const { capabilities, texts } = createCliCapabilities()
    const stdout = { ...capabilities.stdout, write: () => Promise.reject(error) }
    expect(await runCli(['config', 'check'], { ...capabilities, stdout })).toBe(status)
    expect(texts.stderr).toMatch(text)
  })

  test('repeats no cause that the message has already', async () => {
    const { capabilities, texts } = createCliCapabilities()
    const error = new RunError('nobody answers (connection_refused)', '', { cause: new Error('connection_refused') })
    await runCli(['config', 'check'], {
      ...capabilities,
      stdout: { ...capabilities.stdout, write: () => Promise.reject(error) },
    })
    expect(texts.stderr).toBe('error: nobody answers (connection_refused)\n')
  })
})

describe('candor config check', () => {
  test('prints every setting with its origin, as JSON Lines for programs', async () => {
    const { status, stdout } = await runSimulatedCli(['config', 'check', '--mode', 'nxdomain'], {
      environment: { CANDOR_EXITS_IN_FLIGHT: '8' },
    })
    expect(status).toBe(0)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(lines).toContainEqual({ key: 'exits.mode', value: 'nxdomain', origin: '--mode' })
    expect(lines).toContainEqual({ key: 'exits.in_flight', value: 8, origin: 'CANDOR_EXITS_IN_FLIGHT' })
    expect(lines).toContainEqual({ key: 'exits.deadline', value: 21_600, origin: 'default' })
  })

  test('prints a configuration file that gives the same settings again', async () => {
    const argv = [
      'config',
      'check',
      '--domain',
      'probe.zone.example',
      '--expect',
      '192.0.2.1,2001:db8::1',
      '--shard',
      '1/4',
    ]
    const first = await runSimulatedCli([...argv, '--build-delay', '250ms', '--no-all-exits'], { isTerminal: true })
    expect(first.status).toBe(0)
    const path = writeTemporary('candor.toml', first.stdout)
    const second = await runSimulatedCli(['config', 'check', '--config', path], { isTerminal: true })
    const values = (text: string): readonly string[] => text.split('\n').map((line) => line.replace(/\s+# .*/, ''))
    expect(values(second.stdout)).toEqual(values(first.stdout))
    expect(second.stdout).toContain(`${path}:`)
  })

  test.each<readonly [string, readonly string[], string, RegExp]>([
    ['a shard out of range', ['--shard', '3/3'], '--shard 3/3', /--shard 2\/3/],
    ['no zone', ['--seed', 'x'], 'mode wildcard without --domain', /candor authority/],
    ['a fingerprint that is none', ['--mode', 'nxdomain', '-e', 'ABC'], '--exit', /40 hexadecimal digits/],
    [
      'a name that would be too long',
      ['--domain', `${'a.'.repeat(90)}example`, '--expect', '192.0.2.1'],
      '--domain',
      /at most 175/,
    ],
    [
      'a file that is not there',
      ['--config', '/nonexistent/candor.toml'],
      '--config /nonexistent',
      /a file that can be read/,
    ],
    ['a directory as file', ['--config', tmpdir()], '--config', /a file that can be read/],
    ['a control port that is none', ['--mode', 'nxdomain', '--control', 'here'], '--control', /127\.0\.0\.1:9051/],
    ['contradicting options', ['--mode', 'nxdomain', '--control', '9051', '--tor-dir', 'x'], '--tor-dir', /leave one/],
  ])('refuses %s with status 2, in three parts', async (_name, options, what, fix) => {
    const outcome = await runSimulatedCli(['config', 'check', ...options])
    expect(outcome).toMatchObject({ status: 2, stdout: '' })
    const [first = '', why = '', ...rest] = outcome.stderr.split('\n')
    expect(first.startsWith(`error: cannot use ${what}`)).toBe(true)
    expect(why).toMatch(/^ {2}why: ./)
    expect(rest.join('\n')).toMatch(fix)
  })

  test('shows of a secret only that it is set, and by whom', async () => {
    const options = { environment: { CANDOR_EXITS_CONTROL_PASSWORD: 'open sesame' } }
    const argv = ['config', 'check', '--mode', 'nxdomain', '--control', '127.0.0.1:9051']
    const lines = await runSimulatedCli(argv, options)
    expect(lines.status).toBe(0)
    expect(lines.stdout).toContain(
      '{"key":"exits.control_password","value":"(hidden)","origin":"CANDOR_EXITS_CONTROL_PASSWORD"}',
    )
    const table = await runSimulatedCli(argv, { ...options, isTerminal: true })
    expect(table.stdout).toContain('# control_password is set and not shown')
    for (const text of [lines.stdout, lines.stderr, table.stdout, table.stderr]) expect(text).not.toContain('sesame')
    const flag = await runSimulatedCli([...argv, '--control-password', 'open sesame'])
    expect(flag.status).toBe(2)
    expect(flag.stderr).not.toContain('sesame')
  })

  test('names file and line of a malformed line in the exit file', async () => {
    const path = writeTemporary('exits.txt', `# mine\n${FINGERPRINT}\nnot a fingerprint\n`)
    const outcome = await runSimulatedCli(['config', 'check', '--mode', 'nxdomain', '-E', path])
    expect(outcome.status).toBe(2)
    expect(outcome.stderr).toContain(`${path}:3`)
  })

  test('names the line of an option that may not be appended to the torrc, comments counted', async () => {
    const path = writeTemporary('mine.torrc', '# mine\n\nBridge 192.0.2.1:443\nSocksPort 9050\n')
    const outcome = await runSimulatedCli(['config', 'check', '--mode', 'nxdomain', '--torrc-append', path])
    expect(outcome.status).toBe(2)
    expect(outcome.stderr).toContain('--torrc-append:4')
  })

  test('names file, line and the nearest name of an unknown key', async () => {
    const path = writeTemporary('candor.toml', '[exits]\nquery_timout = 3\n')
    const outcome = await runSimulatedCli(['config', 'check'], { environment: { CANDOR_CONFIG: path } })
    expect(outcome.status).toBe(2)
    expect(outcome.stderr).toContain(`exits.query_timout (${path}:2)`)
    expect(outcome.stderr).toContain('exits.query_timeout')
  })
})
