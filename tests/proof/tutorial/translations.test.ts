/** A translation is in step with its original: the same headings, code, links and tables. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const CODE_BLOCK = /^ *```(\w*)\n([^]*?)^ *```$/gm

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const textOf = (page: string) => page.replace(CODE_BLOCK, '')
const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, it]) => it!)

const levels = (page: string) => matches(textOf(page), /^(#+ (?:\d+\.)?)/gm)
const links = (page: string) => matches(textOf(page), /(?:\]\(|(?:src|href|srcset)=")([^)"]+)/g)
const rows = (page: string) => textOf(page).match(/^ *\|.*\|$/gm) ?? []
const columns = (row: string) => row.split(/(?<!\\)\|/).length
const code = (page: string) =>
  [...page.matchAll(CODE_BLOCK)].map(([, language, code]) => ({
    language,
    code: withoutWords(language!, code!),
  }))

/** Code as it is in every language: comments, labels of diagrams and notes on files may differ. */
function withoutWords(language: string, code: string): string {
  const words: Record<string, RegExp> = {
    ts: /\/\*\*[^]*?\*\/|\/\/.*$/gm,
    sh: /(?<!\S)#.*$/gm,
    mermaid: /: .*$/gm,
    '': / {2,}.*$/gm,
  }
  const pattern = words[language]
  return pattern ? code.replace(pattern, '').replace(/ +$/gm, '') : code
}

describe.each(['README.md', 'docs/tutorial.md'])('%s', (path) => {
  const translation = path.replace('.md', '.zh-CN.md')
  const [original, translated] = [read(path), read(translation)]
  const name = (path: string) => path.split('/').at(-1)

  it('links to its translation first, and back', () => {
    expect(links(original)[0]).toBe(`./${name(translation)}`)
    expect(links(translated)[0]).toBe(`./${name(path)}`)
  })

  it('has the same headings', () => {
    expect(levels(translated)).toEqual(levels(original))
    expect(levels(original)).not.toEqual([])
  })

  it('has the same code', () => {
    expect(code(translated)).toEqual(code(original))
    expect(code(original)).not.toEqual([])
  })

  it('has the same links', () => {
    const pages = (page: string) =>
      links(page)
        .slice(1)
        .map((link) => link.replace('.zh-CN', ''))
    expect(pages(translated).sort()).toEqual(pages(original).sort())
  })

  it('has the same tables', () => {
    expect(rows(translated).map(columns)).toEqual(rows(original).map(columns))
  })
})
