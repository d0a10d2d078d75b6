/** Where the demo is served for its journeys. */
export const BASE = '/template/'
export const PORT = 4177
