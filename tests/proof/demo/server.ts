/** demo/dist below a path of a server that has files and nothing else, as GitHub Pages does. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname } from 'node:path'
import { BASE, PORT } from './address.ts'

const ROOT = new URL('../../../demo/dist/', import.meta.url)
const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
}

createServer(async ({ url }, response) => {
  const { pathname } = new URL(url!, 'http://localhost')
  const name = pathname === BASE ? 'index.html' : pathname.replace(BASE, '')
  const file = pathname.startsWith(BASE) && TYPES[extname(name)] ? await read(name) : null
  const type = file ? TYPES[extname(name)] : TYPES['.html']
  response.writeHead(file ? 200 : 404, { 'content-type': type })
  response.end(file ?? (await read('404.html')))
}).listen(PORT, '127.0.0.1')

function read(name: string): Promise<Buffer | null> {
  return readFile(new URL(name, ROOT)).catch(() => null)
}
