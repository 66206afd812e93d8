import { describe, expect, test } from 'vitest'
import { FAULTS, FEW_FAULTS } from './faults.ts'
import { placeFaults } from './place-faults.ts'

describe('placeFaults', () => {
  test('repeats a placement for a seed and shuffles it for another', () => {
    const names = (seed: string): readonly string[] => placeFaults(seed, 40).map((it) => it.name)
    expect(names('one')).toEqual(names('one'))
    expect(names('one')).not.toEqual(names('two'))
    expect(names('one').toSorted()).toEqual(names('two').toSorted())
  })

  test('gives every fault to a laboratory of forty, the first ones to a small one', () => {
    const all = new Set(placeFaults('seed', 40).map((it) => it.name))
    expect([...all].toSorted()).toEqual(FAULTS.map((it) => it.name).toSorted())
    const few = placeFaults('seed', FEW_FAULTS).map((it) => it.name)
    expect(few.toSorted()).toEqual(
      FAULTS.slice(0, FEW_FAULTS)
        .map((it) => it.name)
        .toSorted(),
    )
  })

  test('puts a right exit where a fault cannot be had', () => {
    const names = placeFaults('seed', 40, new Set(['validating'])).map((it) => it.name)
    expect(names).not.toContain('validating')
    expect(names).toHaveLength(40)
  })
})
