// Express and jsonwebtoken: two tokens, a protected resource, no more. Copied beside its packages by .ci/backends.
import process from 'node:process'
import cors from 'cors'
import express from 'express'
import jwt from 'jsonwebtoken'

const { PORT, EXPIRED_STATUS = '401' } = process.env
const ACCESS_SECRET = 'access-token-secret'
const REFRESH_SECRET = 'refresh-token-secret'
const usernames = ['admin', 'demo']
const projects = {}

const signAccess = (username) => jwt.sign({ username }, ACCESS_SECRET, { expiresIn: '15m' })

const app = express()
app.use(cors()) // Every origin, and no cookies.
app.use(express.json())
app.use((req, res, next) => {
  console.log(req.method, req.path)
  next()
})

app.post('/login', (req, res) => {
  const { username, password } = req.body
  if (!usernames.includes(username) || password !== 'password') return res.sendStatus(401)
  const refreshToken = jwt.sign({ username }, REFRESH_SECRET, { expiresIn: '7d' })
  res.json({ accessToken: signAccess(username), refreshToken })
})

app.post('/refresh-token', (req, res) => {
  const { refreshToken } = req.body
  if (!refreshToken) return res.sendStatus(401)
  jwt.verify(refreshToken, REFRESH_SECRET, (error, claims) => {
    if (error) return res.sendStatus(403)
    res.json({ accessToken: signAccess(claims.username) })
  })
})

function authenticate(req, res, next) {
  const token = req.headers.authorization?.split(' ')[1]
  if (!token) return res.sendStatus(401)
  jwt.verify(token, ACCESS_SECRET, (error, claims) => {
    if (error) return res.sendStatus(Number(EXPIRED_STATUS))
    req.username = claims.username
    next()
  })
}

app.get('/projects', authenticate, (req, res) => res.json(projects[req.username] ?? []))
app.post('/projects', authenticate, (req, res) => {
  projects[req.username] = [...(projects[req.username] ?? []), req.body]
  res.json(req.body)
})
app.get('/forbidden', authenticate, (req, res) => res.sendStatus(403))

app.listen(PORT, '127.0.0.1')
