import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { watchSignals } from './signals.ts'

class Source extends EventEmitter {
  readonly exits: number[] = []
  exit(status: number): void {
    this.exits.push(status)
  }
}

describe('watchSignals', () => {
  test('asks for an orderly end at the first signal and ends at once at the second', () => {
    const source = new Source()
    let calls = 0
    const watch = watchSignals(source, () => {
      calls++
    })
    expect(watch.interrupted.aborted).toBe(false)
    source.emit('SIGTERM')
    expect(watch.interrupted.aborted).toBe(true)
    expect(source.exits).toEqual([])
    source.emit('SIGINT')
    expect(source.exits).toEqual([130])
    expect(calls).toBe(1)
  })

  test('calls back at each hangup until the subscription ends', () => {
    const source = new Source()
    let calls = 0
    const end = watchSignals(source, () => {}).onHangup(() => {
      calls++
    })
    source.emit('SIGHUP')
    source.emit('SIGHUP')
    end()
    source.emit('SIGHUP')
    expect(calls).toBe(2)
  })
})
