/** The pages about detectors, found by their name, by a rule of theirs, or by a code of exits. */
import { joinPath } from '../core/files.ts'
import { ERROR_CODES, formatCodeMeaning } from '../web/verdict-words.ts'
import { RULE_PAGES } from '../web/satellite-words.ts'
import type { CliContext } from './cli-context.ts'
import { openFileDocuments } from './file-documents.ts'

/** One detector, or one rule of it. */
export interface ListedDetector {
  readonly id: string
  /** Name of its page below docs/detectors, without `.md`. */
  readonly page: string
  /** The question that it answers. */
  readonly question: string
}

/** Every detector in the order of docs/detectors/README.md, each with its rules behind it. */
export async function listDetectors(context: CliContext): Promise<readonly ListedDetector[]> {
  const index = await readPage(context, 'README')
  const pages = [...(index ?? '').matchAll(/^\| \[([a-z0-9-]+)\]\([a-z0-9-]+\.md\) \| (.+?) \|$/gm)]
  return pages.flatMap(([, page = '', question = '']) => {
    const rules = Object.entries(RULE_PAGES).filter(([, each]) => each === page)
    return [{ id: page, page, question }, ...rules.map(([rule]) => ({ id: rule, page, question }))]
  })
}

/** What a detector, a rule or a code is, as Markdown. @returns `undefined` when nothing has this name. */
export async function explainDetector(context: CliContext, id: string): Promise<string | undefined> {
  const page = Object.entries(RULE_PAGES).find(([rule]) => rule === id)?.[1] ?? id.toLowerCase()
  const text = page === 'readme' ? undefined : await readPage(context, page)
  if (text !== undefined) return text
  const code = ERROR_CODES.find((each) => each === id.toUpperCase())
  return code === undefined
    ? undefined
    : `# ${code}\n\n${formatCodeMeaning(code)}\n\nIn full: candor explain exit-codes\n`
}

async function readPage(context: CliContext, name: string): Promise<string | undefined> {
  const documents = openFileDocuments(context.files, joinPath(context.home, 'docs/detectors'), ['.md'])
  const octets = await documents.read(`${name}.md`)
  return octets === undefined ? undefined : new TextDecoder().decode(octets)
}
