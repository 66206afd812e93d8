import { describe, expect, test } from 'vitest'
import { RunError } from '../core/config-error.ts'
import { requireTorVersion } from './tor-version.ts'

describe('requireTorVersion', () => {
  test.each(['0.4.7', '0.4.7.16', '0.4.9.11', '0.5.0.1-alpha', '1.0.0', '0.4.10.1'])('takes %s', (version) => {
    expect(() => {
      requireTorVersion(version, '')
    }).not.toThrow()
  })
  test.each(['0.4.6.10', '0.3.5.18', '0.2.9.1', '', 'x', '0', '0.4', '0.4.x.1'])('refuses %j', (version) => {
    expect(() => {
      requireTorVersion(version, 'update it')
    }).toThrow(RunError)
  })
})
