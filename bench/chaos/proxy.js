/** A TCP proxy between the node and its broker, which can turn into a black hole. */
const net = require("node:net");
const { once } = require("node:events");

class Proxy {
  #server;
  #upstreamPort;
  #isBlackHole = false;
  /** @type {Set<[net.Socket, net.Socket]>} */
  #pairs = new Set();
  /** @type {Set<net.Socket>} */
  #sockets = new Set();

  /** @param {number} upstreamPort */
  constructor(upstreamPort) {
    this.#upstreamPort = upstreamPort;
    this.#server = net.createServer((socket) => this.#accept(socket));
  }

  /** @param {number} port */
  async listen(port) {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  /**
   * From now on connections stay open, and what is sent by either side is swallowed: nobody is told, as when a cable is cut
   * or a firewall has forgotten a connection.
   */
  blackHole() {
    this.#isBlackHole = true;
    for (const pair of this.#pairs) swallow(pair);
    this.#pairs.clear();
  }

  /** Lets new connections through. Those that fell into the hole stay there: to find that out is up to the client. */
  heal() {
    this.#isBlackHole = false;
  }

  close() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** @param {net.Socket} client */
  #accept(client) {
    this.#keep(client);
    if (this.#isBlackHole) {
      client.resume();
      return;
    }
    const upstream = net.connect(this.#upstreamPort, "127.0.0.1");
    this.#keep(upstream);
    /** @type {[net.Socket, net.Socket]} */
    const pair = [client, upstream];
    this.#pairs.add(pair);
    client.pipe(upstream).pipe(client);
    for (const socket of pair) {
      socket.on("close", () => {
        // Once swallowed, one side learns nothing of the other.
        if (this.#pairs.delete(pair)) pair.forEach((each) => each.destroy());
      });
    }
  }

  /** @param {net.Socket} socket */
  #keep(socket) {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

/** @param {[net.Socket, net.Socket]} pair */
function swallow([client, upstream]) {
  client.unpipe(upstream);
  upstream.unpipe(client);
  for (const socket of [client, upstream]) socket.resume();
}

exports.Proxy = Proxy;
