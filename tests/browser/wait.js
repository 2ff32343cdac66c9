// Waits for something to be so, with a limit: a level, not an edge.

import { setTimeout as pause } from "node:timers/promises";

/** Looks again and again until `look` gives something true; throws after `limit` milliseconds. */
export async function until(limit, what, look) {
  const end = Date.now() + limit;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${limit} ms: ${what}`);
    await pause(100);
  }
}
