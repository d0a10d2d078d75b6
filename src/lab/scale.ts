/** An axis in milliseconds: round numbers, and as many of them as there is room for. */

/** The smallest whole number, 1, 2, 2.5 or 5 times a power of ten, that is not below `value`. */
export function niceCeil(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)))
  const nice = [1, 2, 2.5, 5, 10].map((factor) => factor * power)
  return nice.find((number) => Number.isInteger(number) && number >= value - 1e-9)!
}

/** From 0 up to `end`, in round steps: `count` of them or fewer. */
export function ticksOf(end: number, count: number): number[] {
  const step = niceCeil(end / count)
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, index) => index * step)
}

/** `1,250` */
export function inThousands(value: number): string {
  return Math.round(value).toLocaleString('en')
}
