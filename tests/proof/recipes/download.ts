import { api } from '@/api/client.ts'

/** A link cannot send a token: load the file, and click a link to what was loaded. */
export async function download(path: string, name: string): Promise<void> {
  const file = await api(path, { responseType: 'blob' })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
