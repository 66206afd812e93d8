import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderMarkdown } from './markdown.ts'

const mapLink = (target: string): string | undefined => (target.startsWith('https://') ? target : undefined)

async function render(text: string): Promise<string> {
  return (await renderMarkdown(text, mapLink)).toString()
}

describe('renderMarkdown', () => {
  test('renders headings, paragraphs, lists, tables and code', async () => {
    const text = [
      '# Title',
      '',
      'A **strong** word, `code` and a [link](https://example.org/?a=1&b=2).',
      'Same paragraph.',
      '',
      '1. one',
      '2. two',
      '   goes on',
      '',
      '| a | b |',
      '|---|---|',
      '| 1 \\| 2 | <3> |',
      '',
      '```',
      'if (a < b) **not bold**',
      '```',
    ].join('\n')
    const page = await render(text)
    expect(page).toContain('<h1>Title</h1>')
    expect(page).toContain(
      '<p>A <strong>strong</strong> word, <code>code</code> and a <a href="https://example.org/?a=1&amp;b=2" rel="noreferrer">link</a>. Same paragraph.</p>',
    )
    expect(page).toContain('<ol><li>one</li><li>two goes on</li></ol>')
    expect(page).toContain('<th scope="col">a</th>')
    expect(page).toContain('<td>1 | 2</td><td>&lt;3&gt;</td>')
    expect(page).toContain('<pre><code>if (a &lt; b) **not bold**</code></pre>')
  })

  test('goes on with a list after a table in one of its items', async () => {
    const page = await render(
      ['4. By time:', '', '   | t | v |', '   |---|---|', '   | < 1 | a |', '', '5. Else.'].join('\n'),
    )
    expect(page).toContain('<ol start="4"><li>By time:</li></ol>')
    expect(page).toContain('<td>&lt; 1</td><td>a</td>')
    expect(page).toContain('<ol start="5"><li>Else.</li></ol>')
  })

  test('leaves snake_case names and code alone', async () => {
    expect(await render('dns_fail and wrong_ip_x, `a_b_c`')).toBe('<p>dns_fail and wrong_ip_x, <code>a_b_c</code></p>')
  })

  test('makes text of a link that leads nowhere good', async () => {
    expect(await render('[click](javascript:alert(1)) [x](../secret)')).not.toContain('<a')
  })

  test('lets no tag or quote of the document through', async () => {
    const pieces = fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '&',
      '`',
      '*',
      '_',
      '[',
      '](https://x',
      ')',
      '|',
      '\n',
      '# ',
      '- ',
      'a',
      '<script>',
      ' onclick=',
    )
    const allowed =
      /<\/?(?:h[1-6]|p|ul|ol|li|table|thead|tbody|tr|th|td|pre|code|strong|em|a|div|blockquote)(?: (?:scope|href|start|rel|class|role|aria-label|tabindex)="[^"<>]*")*>/g
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 40 }), async (parts) => {
        expect((await render(parts.join(''))).replaceAll(allowed, '')).not.toMatch(/[<>"']/)
      }),
    )
  })
})
