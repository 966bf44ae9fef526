/** A receiver that reads each request and says yes. It ends with the process that has started it. */
const http = require("node:http");

const server = http.createServer((request, response) => {
  request.resume().on("end", () => {
    response.statusCode = 204;
    response.end();
  });
});
server.listen(0, "127.0.0.1", () => {
  process.send?.(/** @type {import("node:net").AddressInfo} */ (server.address()).port);
});
process.on("disconnect", () => process.exit());
