// better-auth with e-mail and password and its plugin jwt, in memory. Copied beside its packages by .ci/backends.
import { createServer } from 'node:http'
import process from 'node:process'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'

const { PORT, APP } = process.env
const origin = `http://127.0.0.1:${PORT}`
const database = { user: [], session: [], account: [], verification: [], jwks: [] }
const projects = {}

const auth = betterAuth({
  baseURL: origin,
  basePath: '/auth',
  secret: 'a-secret-of-this-server-on-loopback-only',
  trustedOrigins: [APP ?? origin],
  database: memoryAdapter(database),
  emailAndPassword: { enabled: true },
  plugins: [jwt()],
})
for (const name of ['admin', 'demo']) {
  const body = { email: `${name}@example.com`, name, password: 'password' }
  await auth.api.signUpEmail({ body })
}
database.session.length = 0

/** By the token, or, for an app with cookies only, by the session. */
async function personOf(headers) {
  const token = headers.get('authorization')?.split(' ')[1]
  if (!token) return (await auth.api.getSession({ headers }))?.user.id
  return (await auth.api.verifyJWT({ body: { token } }).catch(() => null))?.payload?.sub
}

const handler = toNodeHandler(auth)
createServer(async (req, res) => {
  const path = req.url.replace(/\?.*/, '')
  console.log(req.method, path)
  if (path !== '/projects') return handler(req, res)
  const person = await personOf(fromNodeHeaders(req.headers))
  res.setHeader('content-type', 'application/json')
  if (!person) return res.writeHead(401).end('{"message":"Unauthorized"}')
  const mine = (projects[person] ??= [])
  if (req.method === 'GET') return res.end(JSON.stringify(mine))
  let text = ''
  for await (const chunk of req) text += chunk
  mine.push(JSON.parse(text))
  res.end(text)
}).listen(PORT, '127.0.0.1')
