/** Removes from Redis what a measurement has left. */

/**
 * @param {{ sendCommand: (words: string[]) => Promise<unknown> }} client of `redis`
 * @param {string} pattern
 */
async function unlinkAll(client, pattern) {
  let cursor = "0";
  do {
    const reply = await client.sendCommand(["SCAN", cursor, "MATCH", pattern, "COUNT", "5000"]);
    const [next, keys] = /** @type {[string, string[]]} */ (reply);
    cursor = next;
    if (keys.length > 0) await client.sendCommand(["UNLINK", ...keys]);
  } while (cursor !== "0");
}

module.exports = { unlinkAll };
