// better-auth with e-mail and password and its plugin jwt, in Express as its guide mounts it. Copied beside
// its packages by .ci/backends.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'
import cors from 'cors'
import express from 'express'

const { PORT, DATA, ORIGINS } = process.env
const baseURL = `http://127.0.0.1:${PORT}`
const trustedOrigins = [baseURL, ...ORIGINS.split(' ')]
const projects = {}

/** What it keeps, in memory, and in a file while the server is down. */
const file = `${DATA}/better-auth.json`
const database = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8'), (_, value) => (isDate(value) ? new Date(value) : value))
  : { user: [], session: [], account: [], verification: [], jwks: [] }
process.on('SIGTERM', () => {
  writeFileSync(file, JSON.stringify(database))
  process.exit()
})

function isDate(value) {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)
}

const auth = betterAuth({
  baseURL,
  secret: 'a-secret-of-this-server-on-loopback-only',
  trustedOrigins,
  database: memoryAdapter(database),
  emailAndPassword: { enabled: true },
  plugins: [jwt()],
})
for (const name of database.user.length === 0 ? ['admin', 'demo'] : []) {
  const body = { email: `${name}@example.com`, name, password: 'password' }
  await auth.api.signUpEmail({ body })
  database.session.length = 0
}

const app = express()
app.use(cors({ origin: trustedOrigins, credentials: true }))
app.use((req, res, next) => {
  console.log(req.method, req.path)
  if (req.path.endsWith('/sign-in/email')) {
    res.on('prefinish', () => res.statusCode === 200 && console.log('signed in'))
  }
  next()
})
app.all('/api/auth/*splat', toNodeHandler(auth))
app.use(express.json())

/** By the token, or, for an app with cookies only, by the session. */
async function authenticate(req, res, next) {
  const headers = fromNodeHeaders(req.headers)
  const token = headers.get('authorization')?.split(' ')[1]
  req.person = token
    ? (await auth.api.verifyJWT({ body: { token } }).catch(() => null))?.payload?.sub
    : (await auth.api.getSession({ headers }))?.user.id
  if (!req.person) return res.status(401).json({ message: 'Unauthorized' })
  next()
}

app.get('/api/projects', authenticate, (req, res) => res.json(projects[req.person] ?? []))
app.post('/api/projects', authenticate, (req, res) => {
  projects[req.person] = [...(projects[req.person] ?? []), req.body]
  res.json(req.body)
})

app.listen(PORT, '127.0.0.1')
