// oidc-provider with one public client, a sign-in form, and an API that takes its access tokens.
// Copied beside its packages by .ci/backends.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import process from 'node:process'
import { Provider } from 'oidc-provider'

const { PORT, ORIGINS, DATA } = process.env
const origins = ORIGINS.split(' ')
const issuer = `http://127.0.0.1:${PORT}`
const usernames = ['admin', 'demo']
const projects = {}

/** What the provider keeps, in memory, and in a file while the server is down. */
const file = `${DATA}/oidc.json`
const kept = new Map(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [])
process.on('SIGTERM', () => {
  writeFileSync(file, JSON.stringify([...kept]))
  process.exit()
})

class Adapter {
  constructor(model) {
    this.key = (id) => `${model}:${id}`
  }
  async upsert(id, payload) {
    kept.set(this.key(id), payload)
  }
  async find(id) {
    return kept.get(this.key(id))
  }
  async findByUid(uid) {
    return [...kept.values()].find((payload) => payload.uid === uid)
  }
  async consume(id) {
    kept.get(this.key(id)).consumed = Math.floor(Date.now() / 1000)
  }
  async destroy(id) {
    kept.delete(this.key(id))
  }
  async revokeByGrantId(grantId) {
    for (const [key, payload] of kept) if (payload.grantId === grantId) kept.delete(key)
  }
}

const isDisabled = (username) => existsSync(`${DATA}/disabled-${username}`)

const provider = new Provider(issuer, {
  adapter: Adapter,
  clients: [
    {
      client_id: 'web',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: origins.map((origin) => `${origin}/callback`),
      post_logout_redirect_uris: origins.map((origin) => `${origin}/login`),
    },
  ],
  clientBasedCORS: (ctx, origin) => origins.includes(origin),
  claims: { openid: ['sub'], profile: ['preferred_username', 'name', 'roles'] },
  cookies: { keys: ['a-key-of-this-server-on-loopback'] },
  features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
  findAccount: (ctx, accountId) =>
    usernames.includes(accountId) && !isDisabled(accountId)
      ? { accountId, claims: () => claimsOf(accountId) }
      : undefined,
  interactions: { url: (ctx, { uid }) => `/interaction/${uid}` },
  rotateRefreshToken: true,
  ttl: { AccessToken: 900, IdToken: 900, RefreshToken: 7 * 86_400, Session: 86_400 },
})

const claimsOf = (sub) => ({ sub, preferred_username: sub, name: `Person ${sub}`, roles: ['user'] })

provider.use(async (ctx, next) => {
  await next()
  if (ctx.oidc?.route === 'token') console.log('POST /token', ctx.oidc.params?.grant_type)
})

const form = (alert = '') => `<!doctype html><title>Provider</title><h1>Provider</h1>
<form method="post"><p role="alert">${alert}</p>
<label>Login <input name="login"></label> <label>Password <input name="password" type="password"></label>
<button>Sign in</button> <button name="cancel" value="1">Cancel</button></form>`

async function interact(req, res) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(req, res)
  if (prompt.name === 'consent') {
    const grant =
      (grantId && (await provider.Grant.find(grantId))) ||
      new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
    grant.addOIDCScope('openid profile offline_access')
    const consent = { grantId: await grant.save() }
    return provider.interactionFinished(req, res, { consent }, { mergeWithLastSubmission: true })
  }
  res.setHeader('content-type', 'text/html')
  if (req.method === 'GET') return res.end(form())
  const fields = Object.fromEntries(new URLSearchParams(await bodyOf(req)))
  if (fields.cancel) return provider.interactionFinished(req, res, { error: 'access_denied' })
  if (fields.password !== 'password') return res.end(form('Wrong login or password.'))
  await provider.interactionFinished(req, res, { login: { accountId: fields.login } })
}

async function answerProjects(req, res) {
  res.setHeader('access-control-allow-origin', '*')
  res.setHeader('access-control-allow-headers', 'authorization, content-type')
  if (req.method === 'OPTIONS') return res.writeHead(204).end()
  const token = await provider.AccessToken.find(req.headers.authorization?.slice('Bearer '.length))
  res.setHeader('content-type', 'application/json')
  if (!token || isDisabled(token.accountId)) {
    res.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' })
    return res.end('{}')
  }
  const mine = (projects[token.accountId] ??= [])
  if (req.method === 'GET') return res.end(JSON.stringify(mine))
  const project = JSON.parse(await bodyOf(req))
  mine.push(project)
  res.end(JSON.stringify(project))
}

async function bodyOf(req) {
  let body = ''
  for await (const chunk of req) body += chunk
  return body
}

const ofProvider = provider.callback()
createServer(async (req, res) => {
  try {
    if (req.url.startsWith('/interaction/')) await interact(req, res)
    else if (req.url === '/projects') await answerProjects(req, res)
    else ofProvider(req, res)
  } catch (error) {
    console.error(error)
    res.writeHead(500).end()
  }
}).listen(PORT, '127.0.0.1')
