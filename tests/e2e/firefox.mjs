#!/usr/bin/env node
/**
 * Starts the Firefox at FIREFOX_PATH for Playwright, which sets the colour scheme of each page by a
 * command that Firefox ESR does not know. Here it becomes one that changes nothing; all else passes.
 *
 * @see https://www.w3.org/TR/webdriver-bidi/
 */
import { spawn } from 'node:child_process'
import { createServer, connect } from 'node:net'
import process from 'node:process'
import { createInterface } from 'node:readline'

const UNKNOWN = '"emulation.setMediaFeaturesOverride"'

const firefox = spawn(process.env.FIREFOX_PATH, process.argv.slice(2), {
  stdio: ['inherit', 'inherit', 'pipe'],
})
firefox.on('exit', (code) => process.exit(code ?? 1))

/** Firefox says where it listens. Playwright is told where this does. */
createInterface(firefox.stderr).on('line', async (line) => {
  const port = /WebDriver BiDi listening on ws:\/\/[^:]+:(\d+)/.exec(line)?.[1]
  console.error(port ? line.replace(port, await relay(Number(port))) : line)
})

function relay(port) {
  const server = createServer((client) => {
    const socket = connect(port, '127.0.0.1')
    socket.pipe(client)
    let rest = Buffer.alloc(0)
    let isOpen = false
    client.on('data', (data) => {
      rest = Buffer.concat([rest, data])
      if (!isOpen) {
        const end = rest.indexOf('\r\n\r\n') + 4
        if (end < 4) return
        const handshake = rest.toString('latin1', 0, end)
        socket.write(handshake.replace(/^(host: .*:)\d+/im, `$1${port}`), 'latin1')
        rest = rest.subarray(end)
        isOpen = true
      }
      for (let frame = firstFrame(rest); frame; frame = firstFrame(rest)) {
        rest = rest.subarray(frame.length)
        socket.write(known(frame))
      }
    })
    client.on('close', () => socket.destroy())
    socket.on('error', () => client.destroy())
    client.on('error', () => socket.destroy())
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(String(server.address().port)))
  })
}

/** The first frame that is there whole, or null. @see https://www.rfc-editor.org/rfc/rfc6455#section-5.2 */
function firstFrame(bytes) {
  if (bytes.length < 2) return null
  let length = bytes[1] & 127
  const header = length < 126 ? 2 : length === 126 ? 4 : 10
  if (bytes.length < header) return null
  if (header === 4) length = bytes.readUInt16BE(2)
  if (header === 10) length = Number(bytes.readBigUInt64BE(2))
  const end = header + 4 + length
  return bytes.length < end ? null : Object.assign(bytes.subarray(0, end), { header })
}

/** The frame, or in its place one with a command that every Firefox knows. */
function known(frame) {
  const mask = frame.subarray(frame.header, frame.header + 4)
  const text = masked(frame.subarray(frame.header + 4), mask).toString()
  if (!text.includes(UNKNOWN)) return frame
  const { id } = JSON.parse(text)
  const other = Buffer.from(JSON.stringify({ id, method: 'session.status', params: {} }))
  return Buffer.concat([Buffer.from([0x81, 0x80 | other.length]), mask, masked(other, mask)])
}

function masked(bytes, mask) {
  return Buffer.from(bytes.map((byte, index) => byte ^ mask[index % 4]))
}
