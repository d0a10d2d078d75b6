// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest'
import { resolved, standalone } from '@/lab/exportSvg.ts'

const colours = { getPropertyValue: (name: string) => (name === '--ink' ? ' #123456 ' : '') }

describe('the look of the file', () => {
  it('has values for custom properties, which not every viewer knows', () => {
    expect(resolved('.a { fill: var(--ink); }', colours)).toBe('.a { fill: #123456; }')
  })

  it('has no comments', () => {
    expect(resolved('/* one\ntwo */ .a { fill: red; }', colours)).toBe('.a { fill: red; }')
  })
})

describe('the file', () => {
  function drawing() {
    document.body.innerHTML =
      '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="400"><!--v-if--><text>Hi</text></svg>'
    return document.querySelector('svg')!
  }

  it('has its look and its paper inside, and a margin around', () => {
    const file = standalone(drawing(), '.a { fill: red; }')

    expect(file).toMatch(/^<svg[^>]* width="648" height="448" viewBox="-24 -24 648 448"/)
    expect(file).toContain('.a { fill: red; }</style>')
    expect(file.indexOf('trace-paper')).toBeLessThan(file.indexOf('<text'))
    expect(file).not.toContain('<!--')
  })

  it('leaves the page as it was', () => {
    const svg = drawing()
    standalone(svg, '')

    expect(svg.querySelector('style')).toBeNull()
    expect(svg.getAttribute('width')).toBe('600')
  })
})
