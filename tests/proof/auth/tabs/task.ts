/** A task for `tabs.exclusive` that ends when the test says so. */
export function createTask() {
  const task = { runs: 0, contended: null as boolean | null, end: () => {}, run }
  function run(contended: boolean) {
    task.runs += 1
    task.contended = contended
    return new Promise<string>((resolve) => (task.end = () => resolve('done')))
  }
  return task
}
