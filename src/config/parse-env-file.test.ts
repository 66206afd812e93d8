import { assert, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseEnvFile } from './parse-env-file.ts'

function valueOf(text: string): string | undefined {
  return parseEnvFile(text, '/home/candor').assignments.at(-1)?.value
}

describe('parseEnvFile', () => {
  test.each([
    ['A=2', '2'],
    ['A=2                    # Seconds between circuits', '2'],
    ['A=', ''],
    ['A=   # nothing', ''],
    ['A=a#b', 'a#b'],
    ['  export A=x  ', 'x'],
    ['A="a b" # c', 'a b'],
    ['A=\'a "b" $HOME\'', 'a "b" $HOME'],
    ['A="a \\"b\\" \\$HOME \\n"', 'a "b" $HOME \\n'],
    ['A=a\\ b', 'a b'],
    ['A=$HOME/x', '/home/candor/x'],
    ['A="${HOME}/x y"', '/home/candor/x y'],
    ['A=~/x', '/home/candor/x'],
    ['A=one\'two\'"three"', 'onetwothree'],
    ['B=/b\nA=$B/c', '/b/c'],
    ['A=1\nA=2', '2'],
    ['A=1\r', '1'],
  ])('reads %j', (text, value) => {
    expect(valueOf(text)).toBe(value)
    expect(parseEnvFile(text, '/home/candor').problems).toEqual([])
  })

  test.each([
    ['A=$(date)', 'A: only a shell could say what this is'],
    ['A=`date`', 'A: only a shell could say what this is'],
    ['A=${B:-x}', 'A: only a shell could say what this is'],
    ['A=1;rm', 'A: only a shell could say what this is'],
    ['A=$B', 'A: the file does not say what $B is'],
    ['A="secret', 'A: a quote has no end'],
    ['A=secret more', 'A: something stands behind the value'],
    ['set -e', 'it is no assignment'],
    ['A B=1', 'it is no assignment'],
  ])('names the line of %j, without its value', (text, message) => {
    expect(parseEnvFile(`# one\n\n${text}\n`, '/home/candor')).toEqual({
      assignments: [],
      problems: [{ line: 3, message }],
    })
  })

  test('never throws', () => {
    assert(property(string(), (text) => parseEnvFile(text, '/h').problems.length < 2))
  })

  test('reads what stands in single quotes as it is', () => {
    const quotable = string().map((text) => text.replaceAll(/['\n\r]/g, ''))
    assert(property(quotable, (text) => valueOf(`A='${text}'`) === text))
  })
})
