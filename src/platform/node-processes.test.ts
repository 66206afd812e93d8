import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { nodeProcesses } from './node-processes.ts'

/** Runs a shell script to its end. */
async function runScript(script: string): Promise<{ lines: [string, string][]; code: number | undefined }> {
  const lines: [string, string][] = []
  const child = await nodeProcesses.start('/bin/sh', ['-c', script], {
    onLine: (line, stream) => lines.push([stream, line]),
  })
  return { lines, code: (await child.exited).code }
}

describe('nodeProcesses.start', () => {
  test('hands over the lines of both streams and the exit code', async () => {
    const { lines, code } = await runScript('echo out; printf "a\\r\\n\\nlast"; echo err >&2; exit 3')
    expect(lines.filter(([stream]) => stream === 'stdout').map(([, line]) => line)).toEqual(['out', 'a', '', 'last'])
    expect(lines.filter(([stream]) => stream === 'stderr').map(([, line]) => line)).toEqual(['err'])
    expect(code).toBe(3)
  })

  test('cuts a line of a megabyte to 8,192 octets and goes on with the next', async () => {
    const { lines } = await runScript('head -c 1000000 /dev/zero | tr "\\0" x; echo; echo next')
    expect(lines.map(([, line]) => line.length)).toEqual([8_192, 4])
  })

  test('passes directory and environment', async () => {
    const lines: string[] = []
    const child = await nodeProcesses.start('/bin/sh', ['-c', 'pwd; echo $CANDOR_TEST; echo ${PATH:+path}'], {
      directory: '/',
      environment: { CANDOR_TEST: 'set' },
      onLine: (line) => lines.push(line),
    })
    await child.exited
    expect(lines).toEqual(['/', 'set', 'path'])
  })

  test('says which program is not there', async () => {
    await expect(nodeProcesses.start('/no/such/program', [])).rejects.toMatchObject({
      name: 'ProcessError',
      code: 'ENOENT',
      command: '/no/such/program',
    })
    await expect(nodeProcesses.start('/etc/passwd', [])).rejects.toMatchObject({ code: 'EACCES' })
  })

  test('ends although a grandchild keeps the pipe open', async () => {
    const lines: string[] = []
    const child = await nodeProcesses.start('/bin/sh', ['-c', 'sleep 30 & echo $!'], {
      onLine: (line) => lines.push(line),
    })
    expect(await child.exited).toEqual({ code: 0, signal: undefined })
    nodeProcesses.kill(Number(lines[0]), 'SIGKILL')
  })

  test('keeps a child out of reach of Ctrl-C on our terminal', async () => {
    const child = await nodeProcesses.start('/bin/sleep', ['30'])
    const status = await readFile(`/proc/${child.pid}/stat`, 'utf8')
    child.kill('SIGKILL')
    await child.exited
    // Behind the name in brackets: state, parent, process group.
    expect(status.slice(status.lastIndexOf(')') + 2).split(' ')[2]).toBe(String(child.pid))
  })

  test('reports the signal that ended a child', async () => {
    const child = await nodeProcesses.start('/bin/sleep', ['30'])
    expect(await nodeProcesses.commandLine(child.pid)).toEqual(['/bin/sleep', '30'])
    child.kill('SIGKILL')
    expect(await child.exited).toEqual({ code: undefined, signal: 'SIGKILL' })
    child.kill('SIGTERM')
    nodeProcesses.kill(child.pid, 'SIGTERM')
    expect(await nodeProcesses.commandLine(child.pid)).toBeUndefined()
  })
})

describe('nodeProcesses.which', () => {
  test('finds programs in the PATH and by path', async () => {
    expect(await nodeProcesses.which('sh')).toMatch(/^\/.*\/sh$/)
    expect(await nodeProcesses.which('/bin/sh')).toBe('/bin/sh')
    expect(await nodeProcesses.which('no-such-program')).toBeUndefined()
    expect(await nodeProcesses.which('/etc/passwd')).toBeUndefined()
  })
})

describe('nodeProcesses.kill', () => {
  test('refuses ids that mean a group or init', () => {
    for (const pid of [0, -1, 1, 1.5]) expect(() => nodeProcesses.kill(pid, 'SIGTERM')).toThrow('one process')
  })
})
