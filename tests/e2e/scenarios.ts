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
}

export const scenarios: Record<string, Expected> = {
  'Nothing: the token as it is': {
    sent: 10,
    rejected: 0,
    refreshes: 0,
    replayed: 0,
    answered: 10,
    answers: [],
  },
  'Token dead by the clock': {
    sent: 10,
    rejected: 0,
    refreshes: 1,
    replayed: 0,
    answered: 10,
    answers: [200],
  },
  'Token refused by the server': {
    sent: 20,
    rejected: 10,
    refreshes: 1,
    replayed: 10,
    answered: 10,
    answers: [200],
  },
  'Three 401s come late': {
    sent: 20,
    rejected: 10,
    refreshes: 1,
    replayed: 10,
    answered: 10,
    answers: [200],
  },
  'Refresh slow': {
    sent: 15,
    rejected: 5,
    refreshes: 1,
    replayed: 5,
    answered: 10,
    answers: [200],
  },
  'Refresh answered 503, twice': {
    sent: 20,
    rejected: 10,
    refreshes: 1,
    replayed: 10,
    answered: 10,
    answers: [503, 503, 200],
  },
  'Refresh refused': {
    sent: 10,
    rejected: 10,
    refreshes: 0,
    replayed: 0,
    answered: 0,
    end: ', and the user was signed out',
    answers: [401],
  },
  'Offline at the refresh': {
    sent: 20,
    rejected: 10,
    refreshes: 1,
    replayed: 10,
    answered: 10,
    answers: [200],
  },
}
