/**
 * WebKitGTK's MiniBrowser on a screen of its own, driven by the WebDriver protocol. Playwright has no
 * driver for it, and the protocol is a few POST requests.
 *
 * @see https://www.w3.org/TR/webdriver2/
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readdirSync } from 'node:fs'
import type { Readable } from 'node:stream'
import process from 'node:process'

const PORT = 4176

/** The browser, of whichever version of the library is installed. */
function findMiniBrowser(): string {
  const inFolder = (folder: string, name: RegExp) =>
    readdirSync(folder)
      .filter((entry) => name.test(entry))
      .map((entry) => `${folder}/${entry}`)
  const found = inFolder('/usr/lib', /-linux-gnu$/)
    .flatMap((folder) => inFolder(folder, /^webkit2?gtk-/))
    .flatMap((folder) => inFolder(folder, /^MiniBrowser$/))
  if (found.length === 0) throw new Error('There is no MiniBrowser in /usr/lib')
  return found.at(-1)!
}

type Json = Record<string, unknown>

/** `options`: of MiniBrowser's command line. */
export async function startWebKit(origin: string, options: string[] = []) {
  const started: ChildProcess[] = []
  const start = (command: string, args: string[], display?: string) => {
    const env = { ...process.env, DISPLAY: display }
    const stdio = ['ignore', 'ignore', 'ignore', 'pipe'] as const
    const child = spawn(command, args, { env, stdio: [...stdio], detached: true })
    started.push(child)
    return child
  }
  async function stop(): Promise<void> {
    await session.command('DELETE', '').catch(() => {})
    for (const { pid } of started.reverse()) process.kill(-pid!)
  }

  const screen = start('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x1024x24'])
  const display = `:${await firstLine(screen.stdio[3] as Readable)}`
  start('openbox', [], display)
  start('dbus-run-session', ['--', 'WebKitWebDriver', `--port=${PORT}`], display)

  const session = await openSession(options)
  return { ...session, stop, openTab: (path: string) => openTab(session, origin + path) }
}

async function openSession(options: string[]) {
  const server = `http://localhost:${PORT}/session`
  const browser = { binary: findMiniBrowser(), args: ['--automation', ...options] }
  const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': browser } }
  const { sessionId, capabilities: got } = await whenUp(() =>
    call('POST', server, { capabilities }),
  )
  /** Which window commands go to: one at a time. */
  let queue: Promise<unknown> = Promise.resolve()
  let current: string | null = null

  const command = (method: string, path: string, body?: Json) =>
    call(method, `${server}/${sessionId}${path}`, body)

  function inWindow<T>(handle: string, work: () => Promise<T>): Promise<T> {
    const done = queue.then(async () => {
      if (current !== handle) await command('POST', '/window', { handle })
      current = handle
      return work()
    })
    queue = done.catch(() => {})
    return done
  }
  const version = `${(got as Json).browserName} ${(got as Json).browserVersion}`
  return { command, inWindow, version }
}

type Session = Awaited<ReturnType<typeof openSession>>

async function openTab({ command, inWindow }: Session, url: string) {
  const { handle } = await command('POST', '/window/new', { type: 'tab' })
  const within = <T>(work: () => Promise<T>) => inWindow(handle as string, work)

  /** Runs a function in the page, which can use nothing but its arguments. */
  function run<T, A extends unknown[]>(script: (...args: A) => T, ...args: A): Promise<T> {
    const body = { script: `return (${script}).apply(null, arguments)`, args }
    return within(() => command('POST', '/execute/sync', body)) as Promise<T>
  }
  const tab = {
    run,
    goto: (url: string) => within(() => command('POST', '/url', { url })),
    reload: () => within(() => command('POST', '/refresh', {})),
    back: () => within(() => command('POST', '/back', {})),
    url: () => run(() => location.pathname + location.search + location.hash),
    heading: () => run(() => document.querySelector('h1')?.textContent?.trim() ?? ''),
    text: () => run(() => document.body.innerText),
    /** Presses a button or link, in front or behind. */
    click: (name: string) =>
      run((name) => {
        const all = [...document.querySelectorAll<HTMLElement>('button, a')]
        const found = all.find((element) => element.textContent?.trim() === name)
        if (!found) throw new Error(`There is no button or link "${name}"`)
        found.click()
      }, name),
    /** Fills a field, chooses an option by its text, or sets a switch. */
    set: (label: string, value: string | boolean) =>
      run(
        (label, value) => {
          const labels = [...document.querySelectorAll('label')]
          const found = labels.find(({ textContent }) => textContent?.trim() === label)!
          const field = found.control as HTMLInputElement | HTMLSelectElement
          if (typeof value === 'boolean') (field as HTMLInputElement).checked = value
          else if (field instanceof HTMLSelectElement)
            field.selectedIndex = [...field.options].findIndex(({ text }) => text === value)
          else field.value = value
          field.dispatchEvent(new Event('input', { bubbles: true }))
        },
        label,
        value,
      ),
  }
  await tab.goto(url)
  return tab
}

export type WebKit = Awaited<ReturnType<typeof startWebKit>>
export type Tab = Awaited<ReturnType<WebKit['openTab']>>

/** @throws Error with what the driver answers */
async function call(method: string, url: string, body?: Json): Promise<Json> {
  const response = await fetch(url, { method, body: body && JSON.stringify(body) })
  const { value } = (await response.json()) as { value: Json }
  if (!response.ok) throw new Error(`WebDriver: ${value.error}: ${value.message}`)
  return value
}

/** The driver takes a moment until it listens. */
async function whenUp<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof TypeError) || tries === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

function firstLine(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    stream.once('data', (data: Buffer) => resolve(data.toString().trim()))
  })
}
