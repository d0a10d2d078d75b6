/** What the lab must count in each of its scenarios, with ten requests and in every browser. */

export interface Expected {
  sent: number
  rejected: number
  refreshes: number
  replayed: number
  answered: number
  /** What the report adds. */
  end?: string
  /** What the server answered to each refresh. Broken ones are tried again by the browser itself. */
  answers: number[]
  /** The bars of the first and the last lane in which the server is at work. */
  bars: [first: string[], last: string[]]
}

export const scenarios: Record<string, Expected> = {
  'Nothing: the token as it is': {
    sent: 10,
    rejected: 0,
    refreshes: 0,
    replayed: 0,
    answered: 10,
    answers: [],
    bars: [['sent'], ['sent']],
  },
  'Token dead by the clock': {
    sent: 10,
    rejected: 0,
    refreshes: 1,
    replayed: 0,
    answered: 10,
    answers: [200],
    bars: [['sent'], ['sent']],
  },
  'Token refused by the server': {
    sent: 20,
    rejected: 10,
    refreshes: 1,
    replayed: 10,
    answered: 10,
    answers: [200],
    bars: [
      ['rejected', 'replayed'],
      ['rejected', 'replayed'],
    ],
  },
  'Three 401s come late': {
    sent: 20,
    rejected: 10,
    refreshes: 1,
    replayed: 10,
    answered: 10,
    answers: [200],
    bars: [
      ['rejected', 'replayed'],
      ['rejected', 'replayed'],
    ],
  },
  'Refresh slow': {
    sent: 15,
    rejected: 5,
    refreshes: 1,
    replayed: 5,
    answered: 10,
    answers: [200],
    bars: [['rejected', 'replayed'], ['sent']],
  },
  'Refresh answered 503, twice': {
    sent: 20,
    rejected: 10,
    refreshes: 1,
    replayed: 10,
    answered: 10,
    answers: [503, 503, 200],
    bars: [
      ['rejected', 'replayed'],
      ['rejected', 'replayed'],
    ],
  },
  'Refresh refused': {
    sent: 10,
    rejected: 10,
    refreshes: 0,
    replayed: 0,
    answered: 0,
    end: ', and the user was signed out',
    answers: [401],
    bars: [['rejected'], ['rejected']],
  },
  'Offline at the refresh': {
    sent: 20,
    rejected: 10,
    refreshes: 1,
    replayed: 10,
    answered: 10,
    answers: [200],
    bars: [
      ['rejected', 'replayed'],
      ['rejected', 'replayed'],
    ],
  },
}
