/** Starts an app, posts one JSON delivery to `/in` over HTTP, and wants 200 with a tracking id. */
const assert = require("node:assert/strict");
const { once } = require("node:events");

async function deliver(app) {
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const response = await fetch(`http://127.0.0.1:${server.address().port}/in`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ order: 1 }),
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    assert.equal(typeof JSON.parse(text).trackingId, "string", text);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

module.exports = { deliver };
