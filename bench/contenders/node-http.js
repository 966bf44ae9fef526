/** What a careful hand writes on bare `node:http`: gates, limits, codings undone in one shot, text that is text. */
const { randomUUID } = require("node:crypto");
const { LIMIT_BYTES } = require("../limits");
const { DECODERS } = require("./decoders");

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json(?:;|$)/i;
const utf8 = new TextDecoder("utf-8", { fatal: true });
/**
 * @param {Response} response
 * @param {number} status
 * @param {object} value
 */
function answer(response, status, value) {
  const text = JSON.stringify(value);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}

/** @returns {(request: Request, response: Response) => void} */
function bare() {
  return function listener(request, response) {
    const { headers, method } = request;
    const decode = DECODERS[headers["content-encoding"] ?? "identity"];
    if (method !== "POST") return answer(response, 405, {});
    if (!JSON_TYPE.test(headers["content-type"] ?? "") || !decode) return answer(response, 415, {});
    if (Number(headers["content-length"]) > LIMIT_BYTES) return answer(response, 413, {});

    /** @type {Buffer[]} */
    const chunks = [];
    let length = 0;
    request.on("data", (chunk) => {
      length += chunk.length;
      if (length <= LIMIT_BYTES) chunks.push(chunk);
      else if (!response.headersSent) answer(response, 413, {});
    });
    request.on("end", () => {
      if (response.headersSent) return;
      try {
        JSON.parse(utf8.decode(decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length))));
      } catch (cause) {
        const error = /** @type {NodeJS.ErrnoException} */ (cause);
        return answer(response, error.code === "ERR_BUFFER_TOO_LARGE" ? 413 : 400, {});
      }
      answer(response, 200, { trackingId: randomUUID() });
    });
  };
}

module.exports = { bare };
