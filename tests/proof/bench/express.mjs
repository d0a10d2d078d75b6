/**
 * To compare with, the server that most tutorials of the pattern build: each access token is verified
 * with jsonwebtoken each time. It runs where its packages are installed (server.ts).
 */
import process from 'node:process'
import express from 'express'
import jwt from 'jsonwebtoken'

const secret = 'a secret of the benchmark alone'
const user = { id: '2', username: 'demo', name: 'Demo', roles: ['user'] }

const server = express()
  .get('/api/auth/me', (request, response) => {
    const [, token] = request.headers.authorization.split(' ')
    jwt.verify(token, secret)
    response.json(user)
  })
  .listen(0, '127.0.0.1', () => {
    const url = `http://127.0.0.1:${server.address().port}/api/auth/me`
    const token = jwt.sign({ sub: user.id }, secret, { expiresIn: '15m' })
    process.send([{ name: 'Express and jsonwebtoken', url, token }])
  })
