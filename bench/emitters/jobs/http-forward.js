/** A receiver on Node's own server, in a process of its own. */
const http = require("node:http");
const { httpForwardEmitter } = require("express-webhook-node/emit/http-forward");
const { Helper } = require("../helper");
const { TOLD } = require("../items");

const HEADERS = {
  ...TOLD.fields,
  "content-type": TOLD.contentType,
  ...Object.fromEntries(Object.entries(TOLD.attributes).map(([name, value]) => [`ce-${name}`, value])),
};

/** @type {import("../measure").Job["open"]} */
async function open() {
  const server = await Helper.start("receiver.js");
  const url = `http://127.0.0.1:${server.port}/`;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  return {
    emitter: httpForwardEmitter({ url }),
    raw: [
      {
        name: "fetch",
        send: async ([{ id, octets }]) => {
          const body = /** @type {Uint8Array<ArrayBuffer>} */ (octets);
          const response = await fetch(url, { method: "POST", headers: { ...HEADERS, "ce-id": id }, body });
          await response.arrayBuffer();
          if (!response.ok) throw new Error(`It answered ${response.status}.`);
        },
      },
      {
        name: "http.request, 64 connections",
        send: ([{ id, octets }]) =>
          new Promise((resolve, reject) => {
            const headers = { ...HEADERS, "ce-id": id, "content-length": octets.length };
            const request = http.request(url, { method: "POST", agent, headers });
            request.on("error", reject);
            request.on("response", (response) => response.resume().on("end", resolve));
            request.end(octets);
          }),
      },
    ],
    async close() {
      agent.destroy();
      server.stop();
    },
  };
}

module.exports = { open };
