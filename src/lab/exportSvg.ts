/** The drawing as a file that stands on its own: its look inside, in the colours of the moment. */
import styles from './trace.css?raw'

/** Space around the drawing, in pixels. */
const MARGIN = 24

export function standalone(svg: SVGSVGElement, css = styles): string {
  const copy = svg.cloneNode(true) as SVGSVGElement
  const width = svg.width.baseVal.value + 2 * MARGIN
  const height = svg.height.baseVal.value + 2 * MARGIN
  copy.setAttribute('width', String(width))
  copy.setAttribute('height', String(height))
  copy.setAttribute('viewBox', `${-MARGIN} ${-MARGIN} ${width} ${height}`)
  copy.prepend(paper(copy, width, height))
  copy.prepend(styleOf(copy, resolved(css, valuesOf(svg))))
  // Without the marks that Vue leaves where there is nothing.
  return new XMLSerializer().serializeToString(copy).replace(/<!--.*?-->/g, '')
}

/** Not every viewer of SVG knows custom properties. */
export function resolved(css: string, values: Pick<CSSStyleDeclaration, 'getPropertyValue'>) {
  return css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/var\((--[\w-]+)\)/g, (_, name: string) => values.getPropertyValue(name).trim())
    .trim()
}

/** The custom properties as a viewer knows them: a colour that is `light-dark()` as the one that is seen. */
function valuesOf(svg: SVGSVGElement): Pick<CSSStyleDeclaration, 'getPropertyValue'> {
  const look = getComputedStyle(svg)
  return {
    getPropertyValue(name) {
      const value = look.getPropertyValue(name).trim()
      svg.style.color = value // Stays empty where it is no colour.
      const seen = svg.style.color ? look.color : value
      svg.style.color = ''
      return seen
    },
  }
}

function styleOf({ ownerDocument }: SVGSVGElement, css: string): SVGElement {
  const style = ownerDocument.createElementNS('http://www.w3.org/2000/svg', 'style')
  style.textContent = css
  return style
}

function paper({ ownerDocument }: SVGSVGElement, width: number, height: number): SVGElement {
  const rect = ownerDocument.createElementNS('http://www.w3.org/2000/svg', 'rect')
  const attributes = { x: -MARGIN, y: -MARGIN, width, height, class: 'trace-paper' }
  for (const [name, value] of Object.entries(attributes)) rect.setAttribute(name, String(value))
  return rect
}

/** Hands a file to the person. */
export function download(name: string, type: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }))
  const link = Object.assign(document.createElement('a'), { href: url, download: name })
  link.click()
  // Chromium takes the file before this, others some time after.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
