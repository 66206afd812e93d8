/** Sizes, names, headers, doc comments and words. Each rule returns what breaks it, as sentences. */
import { isTest, type SourceFile } from './source-tree.ts'

const FILE_LINES_MAX = 400
const FUNCTION_LINES_MAX = 70
const NAMES_OF_NOTHING = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'index'])
// Letters in brackets, so that this file does not break its own rules.
const PROMISE = /\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b/
const MOCK = /\bvi\.(?:m[o]ck|doM[o]ck)\(/

/** Files longer than 400 lines. */
export function findLongFiles(files: readonly SourceFile[]): readonly string[] {
  return files
    .map((file) => ({ path: file.path, lines: file.text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > FILE_LINES_MAX)
    .map(({ path, lines }) => `${path} has ${lines} lines, more than ${FILE_LINES_MAX}`)
}

/** Top-level functions with more than 70 lines that are neither blank nor comment. */
export function findLongFunctions(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter((file) => !isTest(file))
    .flatMap((file) => {
      const lines = file.text.split('\n')
      return lines.flatMap((line, start) => {
        const name = /^(?:export )?(?:async )?function\*? (\w+)/.exec(line)?.[1]
        if (name === undefined) return []
        const end = lines.findIndex((other, index) => index > start && other === '}')
        const length = lines.slice(start, end + 1).filter((inner) => !/^\s*(?:$|\/\/|\/?\*)/.test(inner)).length
        return length > FUNCTION_LINES_MAX ? [`${file.path}: ${name} has ${length} lines`] : []
      })
    })
}

/** File names that are not kebab-case, or say nothing. */
export function findBadNames(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter(({ path }) => {
      const name = path.slice(path.lastIndexOf('/') + 1).replace(/(?:\.node)?(?:\.test)?\.ts$/, '')
      return !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) || NAMES_OF_NOTHING.has(name)
    })
    .map(({ path }) => `${path} is no name of one thing in kebab-case`)
}

/** Files without a header comment that says what they are. */
export function findMissingHeaders(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter((file) => !isTest(file) && !file.text.startsWith('/**'))
    .map((file) => `${file.path} does not begin with /**`)
}

/** Exports without a doc comment right above. */
export function findUndocumentedExports(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter((file) => !isTest(file))
    .flatMap((file) => {
      const lines = file.text.split('\n')
      return lines.flatMap((line, index) => {
        const name =
          /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type) (\w+)/.exec(
            line,
          )?.[1]
        return name === undefined || lines[index - 1]?.trimEnd().endsWith('*/') === true
          ? []
          : [`${file.path}:${index + 1} exports ${name} without a doc comment`]
      })
    })
}

/** Words that promise instead of doing. */
export function findPromises(files: readonly SourceFile[]): readonly string[] {
  return findWords(files, PROMISE)
}

/** Mocked modules: what cannot be passed in is a fault of the design. */
export function findMocks(files: readonly SourceFile[]): readonly string[] {
  return findWords(files, MOCK)
}

function findWords(files: readonly SourceFile[], pattern: RegExp): readonly string[] {
  return files.flatMap((file) =>
    file.text.split('\n').flatMap((line, index) => {
      const word = pattern.exec(line)?.[0]
      return word === undefined ? [] : [`${file.path}:${index + 1} has ${word}`]
    }),
  )
}
