/**
 * One client connection over a bare socket: it writes requests that are ready as octets, and reads no more of an answer
 * than its end. A client library would use more CPU time than the servers, on the same machine.
 */
const net = require("node:net");

/** @typedef {{ octets: Buffer, isCut?: boolean | undefined }} Request A cut one is never finished: its connection ends. */

class Connection {
  #port;
  /** @type {net.Socket | undefined} */
  #socket;
  /** @type {Buffer | undefined} */
  #received;
  /** @type {((status: number) => void) | undefined} */
  #onAnswer;
  #isCut = false;

  /** @param {number} port */
  constructor(port) {
    this.#port = port;
  }

  /** Octets that the kernel has not taken yet. */
  get unsentBytes() {
    return this.#socket?.writableLength ?? 0;
  }

  /**
   * Calls back with the status of the answer, or 0 where the connection ended without one.
   *
   * @param {Request} request
   * @param {(status: number) => void} onAnswer
   */
  send({ octets, isCut = false }, onAnswer) {
    this.#onAnswer = onAnswer;
    this.#isCut = isCut;
    this.#received = undefined;
    this.#socket ??= this.#connect();
    this.#socket.write(octets);
  }

  close() {
    this.#onAnswer = undefined;
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connect() {
    const socket = net.connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    socket.on("data", (chunk) => this.#read(chunk));
    // A server may close while it is still written to; what it said before that counts.
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#settle(0);
    });
    return socket;
  }

  /** @param {Buffer} chunk */
  #read(chunk) {
    this.#received = this.#received ? Buffer.concat([this.#received, chunk]) : chunk;
    const answer = readAnswer(this.#received);
    if (!answer) return;
    if (answer.isLast || this.#isCut) {
      this.#socket?.destroy();
      this.#socket = undefined;
    }
    this.#settle(answer.status);
  }

  /** @param {number} status */
  #settle(status) {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.(status);
  }
}

/**
 * Reads an answer, if it is whole.
 *
 * @param {Buffer} octets
 * @returns {{ status: number, isLast: boolean } | undefined}
 */
function readAnswer(octets) {
  const end = octets.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const head = octets.toString("latin1", 0, end).toLowerCase();
  const length = /\r\ncontent-length: (\d+)/.exec(head);
  const isWhole = length ? octets.length >= end + 4 + Number(length[1]) : octets.indexOf("0\r\n\r\n", end + 4) !== -1;
  if (!isWhole) return undefined;
  return { status: Number(head.slice(9, 12)), isLast: head.includes("\r\nconnection: close") };
}

module.exports = { Connection };
