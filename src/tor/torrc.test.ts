import { describe, expect, test } from 'vitest'
import { checkAppendedLines, formatTorrc, type TorrcOptions } from './torrc.ts'

const OPTIONS: TorrcOptions = {
  dataDirectory: '/tmp/with "quote"/data',
  cookieFile: '/tmp/cookie',
  controlPortFile: '/tmp/port',
  controlSocket: '/tmp/control.sock',
  ownerPid: 4711,
  rejectInternalAddresses: true,
  appendedLines: ['TestingTorNetwork 1', 'ClientDNSRejectInternalAddresses 0'],
}

describe('formatTorrc', () => {
  test('puts appended lines last, where they win', () => {
    const lines = formatTorrc(OPTIONS).trimEnd().split('\n')
    expect(lines.slice(-2)).toEqual(OPTIONS.appendedLines)
    expect(lines).toContain('ClientDNSRejectInternalAddresses 1')
    expect(lines).toContain('DataDirectory "/tmp/with \\"quote\\"/data"')
    expect(lines).toContain('ControlPort unix:"/tmp/control.sock"')
    expect(lines).toContain('__OwningControllerProcess 4711')
    expect(lines).toContain('SafeLogging 1')
  })

  test('controls over loopback where a socket path would be too long', () => {
    expect(formatTorrc({ ...OPTIONS, controlSocket: null })).toContain('ControlPort 127.0.0.1:auto\n')
  })
})

describe('checkAppendedLines', () => {
  test('drops comments and blanks', () => {
    expect(checkAppendedLines(['# mine', '', ' UseBridges 1 ', 'Bridge obfs4 192.0.2.1:1 x'], 'f')).toEqual([
      'UseBridges 1',
      'Bridge obfs4 192.0.2.1:1 x',
    ])
  })

  test.each(['DataDirectory /x', 'socksport 9050', '+ControlPort 9051', '/DNSPort 53', '__LeaveStreamsUnattached 0'])(
    'refuses %j and names its line',
    (line) => {
      expect(() => checkAppendedLines(['UseBridges 1', line], 'mine.txt')).toThrow(
        expect.objectContaining({ name: 'ConfigError', path: 'mine.txt:2' }) as Error,
      )
    },
  )

  test('refuses a line that hides another one', () => {
    expect(() => checkAppendedLines(['UseBridges 1\rDataDirectory /x'], 'f')).toThrow(/control characters/)
  })
})
