/**
 * Delivers to an app as a provider does, over a real connection.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, request, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { nearest } from "../request/nearest";
import { shown } from "../request/options";
import { sign } from "./sign";
import type { SignedDelivery } from "./signed";

type Signers = typeof sign;

/** The name of a source that can be signed for: `github`, `stripe`, `standardWebhooks`. */
export type SignerName = keyof Signers;

export type SendOptions = {
  /**
   * The path that the node is mounted at.
   *
   * @defaultValue `"/"`; of `deliver`, the path of `url` for providers that sign it
   */
  readonly path?: string | undefined;
  /** Header fields besides those that the provider sends. They win. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

/** What a source's signer is told, and where the delivery goes. */
export type DeliverOptions<Name extends SignerName> = Parameters<Signers[Name]>[1] & SendOptions;

/** What the provider gets to see. */
export type DeliveryAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The text as JSON: `{ trackingId }` of a delivery that was taken. `undefined` where it is none. */
  readonly json: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- tests say what they expect in it
};

/**
 * Signs a payload as a provider does, and posts it to an app as `send` does.
 *
 * @throws TypeError for a source that has no signer, an option that its signer lacks, and what is no app.
 *
 * @example
 * ```ts
 * const { status } = await deliver(app, "github", { zen: "Keep it simple." }, { secret, event: "ping", path: "/webhooks/github" });
 * ```
 */
export async function deliver<Name extends SignerName>(
  app: RequestListener | Server,
  source: Name,
  payload: Parameters<Signers[Name]>[0],
  options: DeliverOptions<Name>,
): Promise<DeliveryAnswer> {
  if (typeof source !== "string" || !Object.hasOwn(sign, source)) throw noSource(source);
  const { path, headers, ...own } = { ...options };
  const signer = sign[source] as (payload: unknown, options: object) => SignedDelivery & { readonly url?: string };
  const signed = signer(payload, own);
  return send(app, signed, { path: path ?? pathOf(signed.url ?? (own as { url?: string }).url), headers });
}

/**
 * Posts a delivery that was signed or recorded to an app, on a port of the loopback interface that is closed again before
 * the promise resolves. The app is an Express app, any listener of `node:http`, or a server that listens already.
 */
export async function send(
  app: RequestListener | Server,
  delivery: SignedDelivery,
  options: SendOptions = {},
): Promise<DeliveryAnswer> {
  if (typeof app !== "function") return post(listening(app), delivery, options);
  const server = createServer(app).listen(0, "127.0.0.1");
  try {
    await once(server, "listening");
    return await post(server, delivery, options);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function noSource(source: unknown): TypeError {
  const names = Object.keys(sign);
  const near = typeof source === "string" && nearest(source, names);
  return new TypeError(
    `deliver: there is no source ${shown(source)}. ` +
      (near ? `Did you mean ${near}?` : `There are: ${names.join(", ")}.`),
  );
}

function listening(app: unknown): Server {
  const server = app as Partial<Server> | null | undefined;
  if (typeof server?.address !== "function") {
    throw new TypeError(`send: ${shown(app)} is neither an Express app, a listener of node:http nor a server.`);
  }
  if (server.address() === null) throw new TypeError("send: the server does not listen yet; await its listening.");
  return app as Server;
}

function pathOf(url: string | undefined): string {
  if (url === undefined) return "/";
  const { pathname, search } = new URL(url);
  return pathname + search;
}

async function post(
  server: Server,
  { headers, body }: SignedDelivery,
  { path = "/", headers: more }: SendOptions,
): Promise<DeliveryAnswer> {
  const { port } = server.address() as AddressInfo;
  const sent = request({
    host: "127.0.0.1",
    port,
    path,
    method: "POST",
    agent: false,
    headers: { ...headers, "content-length": body.length, ...more },
  });
  // Once the answer is there, a server may end the connection before it has read all: of a body that it refuses.
  sent.on("error", () => {});
  sent.end(body);
  const [response] = (await once(sent, "response")) as [
    NodeJS.ReadableStream & { statusCode: number; headers: IncomingHttpHeaders },
  ];
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response) text += chunk as string;
  return { status: response.statusCode, headers: response.headers, text, json: jsonOf(text) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
