/** A certificate for localhost that nobody trusts: browsers speak HTTP/2 with TLS only. */
import { execFileSync } from 'node:child_process'

/** Key and certificate, made by `openssl` now. */
export function selfSigned(): { key: string; cert: string } {
  const options = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const pem = execFileSync(
    'openssl',
    ['req', '-x509', ...options, ...subject, '-days', '1', '-keyout', '-', '-out', '-'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  )
  return { key: pem, cert: pem }
}
