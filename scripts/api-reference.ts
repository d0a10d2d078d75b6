/**
 * Writes docs/api.md from the doc comments of what src/auth exports: `npm run docs:api`. A test
 * (tests/proof/api-reference.test.ts) fails where the file says something else than they do.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { format } from 'prettier'
import { Application } from 'typedoc'
import type { TypeDocOptions } from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'

export const FILE = 'docs/api.md'

/** The text of docs/api.md as it has to be. */
export async function generate(): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), 'api-'))
  const options: Partial<TypeDocOptions & PluginOptions> = {
    entryPoints: ['src/auth/index.ts'],
    tsconfig: 'tsconfig.app.json',
    skipErrorChecking: true, // `npm run type-check` does that.
    plugin: ['typedoc-plugin-markdown'],
    logLevel: 'Error',
    router: 'module',
    entryFileName: 'index',
    readme: 'none',
    name: 'Reference of src/auth',
    out,
    excludeExternals: true,
    disableSources: true,
    hidePageHeader: true,
    hideBreadcrumbs: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
  }
  try {
    const app = await Application.bootstrapWithPlugins(options)
    const project = await app.convert()
    if (!project) throw new Error('typedoc cannot read src/auth.')
    await app.generateOutputs(project)
    const text = await readFile(join(out, 'index.md'), 'utf8')
    const config = JSON.parse(await readFile('.prettierrc.json', 'utf8'))
    return await format(text, { ...config, parser: 'markdown' })
  } finally {
    await rm(out, { recursive: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(FILE, await generate())
