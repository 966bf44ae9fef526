/**
 * A connection that a test holds in its hand: it writes when it is told to, keeps what comes back, and may be cut at any
 * moment.
 *
 * @module
 */
import net from "node:net";

export type Dialled = {
  readonly socket: net.Socket;
  readonly write: (octets: string | Buffer) => void;
  /** Cuts the connection at once. */
  readonly cut: () => void;
  /** What has come back so far. */
  readonly text: () => string;
  /** The statuses of the answers that have come back so far, 100 among them. */
  readonly statuses: () => number[];
  readonly isClosed: () => boolean;
  /** Resolves once the server has closed the connection. */
  readonly closed: Promise<void>;
  /** Waits until so many answers have begun, for at most ten seconds unless told otherwise. */
  readonly answered: (count?: number, ms?: number) => Promise<void>;
};

const dialled: net.Socket[] = [];

/** Connects, and resolves once the connection stands. It is cut after the test. */
export function dial(port: number, options: { readonly allowHalfOpen?: boolean } = {}): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1", ...options });
    dialled.push(socket);
    let text = "";
    let isClosed = false;
    const closed = new Promise<void>((done) => {
      socket.once("close", () => {
        isClosed = true;
        done();
      });
    });
    const statuses = (): number[] => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.once("error", reject);
    socket.on("error", () => {});
    socket.once("connect", () => {
      resolve({
        socket,
        write: (octets) => void socket.write(octets),
        cut: () => void socket.destroy(),
        text: () => text,
        statuses,
        isClosed: () => isClosed,
        closed,
        answered: (count = 1, ms = 10_000) =>
          new Promise((done, fail) => {
            const check = (): void => {
              if (statuses().length < count) return;
              clearTimeout(timer);
              socket.off("data", check);
              done();
            };
            const timer = setTimeout(() => fail(new Error(`answered: ${text || "nothing"} in ${ms} ms`)), ms);
            socket.on("data", check);
            check();
          }),
      });
    });
  });
}

/** The head of a request, by its lines. */
export function head(lines: readonly string[] = [], start = "POST / HTTP/1.1"): string {
  return [start, "Host: localhost", ...lines, "", ""].join("\r\n");
}

/** One chunk of the chunked transfer coding. RFC 9112 section 7.1. */
export function chunk(octets: string | Buffer): Buffer {
  const data = Buffer.from(octets);
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from("\r\n")]);
}

/** The end of a chunked body. */
export const LAST_CHUNK = "0\r\n\r\n";

afterEach(() => {
  for (const socket of dialled.splice(0)) socket.destroy();
});
