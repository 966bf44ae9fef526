/** The emitter that forwards by HTTP, to a receiver in this process. */
import dns from "node:dns";
import http, { type IncomingHttpHeaders } from "node:http";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";
import { httpForwardEmitter, type HttpForwardEmitterOptions } from "express-webhook-node/emit/http-forward";
import { isPublicAddress, publicLookup } from "express-webhook-node/emit/public-address";
import type { CloudEvent } from "express-webhook-node/emit/cloud-event";
import { makeCertificate } from "../support/certificate";
import { contextOf, messageOf } from "../support/message";
import { send, serveNode, until } from "../support/serve";
import { emitterContract, type Opened, type Received } from "./contract";

type Got = { readonly headers: IncomingHttpHeaders; readonly body: Buffer };
type Answer = (res: http.ServerResponse, got: Got) => void;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** A receiver that keeps what it gets, and answers 204 unless told otherwise. */
async function receiver(answer: Answer = (res) => res.writeHead(204).end()) {
  const got: Got[] = [];
  const server = http.createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const one = { headers: req.headers, body: Buffer.concat(chunks) };
      got.push(one);
      answer(res, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  closing.push(close);
  const { port } = server.address() as AddressInfo;
  return { server, port, got, close, url: `http://127.0.0.1:${port}/events?a=1` };
}

/** Waits until a server has no connection any more. */
async function noConnections(server: http.Server): Promise<void> {
  const count = () => new Promise<number>((resolve) => server.getConnections((_, open) => resolve(open)));
  while ((await count()) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

const OWN = ["host", "connection", "content-length", "content-type"];

function fieldsOf(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers as Record<string, string>);
  return Object.fromEntries(entries.filter(([name]) => !OWN.includes(name) && !name.startsWith("ce-")));
}

function receivedBinary({ headers, body }: Got): Received {
  const entries = Object.entries(headers as Record<string, string>);
  return {
    octets: body,
    contentType: headers["content-type"],
    attributes: Object.fromEntries(
      entries.flatMap(([name, value]) => (name.startsWith("ce-") ? [[name.slice(3), decodeURIComponent(value)]] : [])),
    ),
    fields: fieldsOf(headers),
  };
}

function receivedStructured({ headers, body }: Got): Received {
  expect(headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
  const text = body.toString();
  const { data: _, datacontenttype, ...attributes } = JSON.parse(text) as CloudEvent;
  return {
    octets: Buffer.from(text.slice(text.indexOf('"data":') + '"data":'.length, -1)),
    contentType: `${datacontenttype}; charset=utf-8`,
    attributes,
    fields: fieldsOf(headers),
  };
}

const opening =
  (mode: "binary" | "structured", read: (got: Got) => Received, more: Partial<HttpForwardEmitterOptions> = {}) =>
  async (): Promise<Opened> => {
    const { url, got, close } = await receiver();
    return { emitter: httpForwardEmitter({ url, mode, ...more }), received: async () => got.map(read), close };
  };

const contract = { isDeduplicated: false, isOrdered: false };
emitterContract({
  ...contract,
  name: "httpForwardEmitter, binary",
  isBinary: true,
  open: opening("binary", receivedBinary),
});
emitterContract({
  ...contract,
  name: "httpForwardEmitter, structured",
  isBinary: false,
  open: opening("structured", receivedStructured),
});
emitterContract({
  ...contract,
  name: "httpForwardEmitter, with fetch",
  isBinary: true,
  open: opening("binary", receivedBinary, { fetch }),
});

const emitTo = (options: HttpForwardEmitterOptions, given = {}) =>
  httpForwardEmitter(options)(messageOf(given), contextOf());

describe("httpForwardEmitter", () => {
  it("writes attributes as the CloudEvents binding has it [G2]", async () => {
    const { url, got } = await receiver();
    await emitTo({ url }, { eventType: 'Euro € 😀 100% "x"~!' });
    expect(got[0]?.headers["ce-type"]).toBe("Euro%20%E2%82%AC%20%F0%9F%98%80%20100%25%20%22x%22~!");
    expect(got[0]?.headers).not.toHaveProperty("ce-datacontenttype");
  });

  it("keeps numbers as they were in a structured event, and other content in base64 [G1]", async () => {
    const { url, got } = await receiver();
    await emitTo({ url, mode: "structured" }, { body: '{"n": 1.0, "big": 12345678901234567890}' });
    await emitTo(
      { url, mode: "structured" },
      {
        body: "a=%C3%BC",
        mediaType: "application/x-www-form-urlencoded",
        contentType: "application/x-www-form-urlencoded",
      },
    );
    await emitTo({ url, mode: "structured" }, { body: '1,"id":"mine"' });

    const [plain, form, broken] = got.map(({ body }) => body.toString());
    expect(plain).toContain('"data":{"n": 1.0, "big": 12345678901234567890}}');
    expect(JSON.parse(form as string)).toMatchObject({
      datacontenttype: "application/x-www-form-urlencoded",
      data_base64: Buffer.from("a=%C3%BC").toString("base64"),
    });
    expect((JSON.parse(broken as string) as CloudEvent).id).toMatch(/^[0-9a-f]{64}$/);
  });

  it("sends fields of yours, and none of the delivery's that belong to its connection or content [G2]", async () => {
    const { url, got, port } = await receiver();
    const fields = {
      host: "evil",
      "content-length": "1",
      "content-encoding": "gzip",
      "transfer-encoding": "chunked",
      connection: "close",
      "ce-id": "1",
      "x-shop": "7",
      "x-own": "theirs",
      "x-latin": "\xFC",
      "x-wide": "\u0100",
    };
    await emitTo({ url, headers: { Authorization: "Bearer s", "X-Own": "ours" } }, { fields });

    expect(got[0]?.headers).toMatchObject({
      authorization: "Bearer s",
      "x-own": "ours",
      "x-shop": "7",
      "x-latin": "\xFC",
    });
    expect(got[0]?.headers.host).toBe(`127.0.0.1:${port}`);
    expect(got[0]?.headers["ce-id"]).toMatch(/^[0-9a-f]{64}$/);
    for (const name of ["content-encoding", "transfer-encoding", "x-wide"]) {
      expect(got[0]?.headers).not.toHaveProperty(name);
    }
  });

  it.each([
    [200, {}, 200, undefined],
    [299, {}, 200, undefined],
    [429, { "Retry-After": "7" }, 503, "7"],
    [503, {}, 503, "1"],
    [503, { "Retry-After": new Date(Date.now() + 1e9).toUTCString() }, 503, "3600"],
    [503, { "Retry-After": "99999999999999999999999" }, 503, "3600"],
    [503, { "Retry-After": "soon" }, 503, "1"],
    [413, {}, 413, undefined],
    [422, {}, 422, undefined],
    [301, { Location: "/" }, 503, "1"],
    [304, {}, 503, "1"],
    [400, {}, 503, "1"],
    [401, {}, 503, "1"],
    [404, {}, 503, "1"],
    [408, {}, 503, "1"],
    [415, {}, 503, "1"],
    [500, {}, 503, "1"],
  ])("makes of %d %j: %d, Retry-After %s [J1]", async (status, headers, answered, retryAfter) => {
    for (const more of [{}, { fetch }]) {
      const { url, got } = await receiver((res) => res.writeHead(status, headers).end());
      const { port } = await serveNode({ emitter: httpForwardEmitter({ url, ...more }) });
      const answer = await send(port, { body: "7" });
      expect([answer.status, answer.headers["retry-after"]]).toEqual([answered, retryAfter]);
      expect(got).toHaveLength(1);
    }
  });

  it("takes more statuses for good, where told [J1]", async () => {
    const { url } = await receiver((res) => res.writeHead(400).end());
    const permanentStatuses = [400, 422];
    await expect(emitTo({ url, permanentStatuses })).rejects.toMatchObject({ code: "ERR_WEBHOOK_PERMANENT" });
  });

  it("tells which path has answered, without the query, which may hold a token", async () => {
    const { url } = await receiver((res) => res.writeHead(404).end());
    const { host } = new URL(url);
    await expect(emitTo({ url: `http://${host}/no/such?token=hush` })).rejects.toThrow(
      new Error(`${host}/no/such answered 404.`),
    );
  });

  it.each([[{}], [{ fetch }]])("rejects where the receiver never answers, or is not there [J1] %#", async (more) => {
    const { url, close } = await receiver(() => {});
    const busy = { code: "ERR_WEBHOOK_EMITTER_BUSY" };
    await expect(emitTo({ url, timeoutMs: 100, ...more })).rejects.toMatchObject(busy);
    await close();
    await expect(emitTo({ url, ...more })).rejects.toMatchObject(busy);
  });

  it("settles what waits for a connection when its time is over, and lets go of it [J1]", async () => {
    const { url, server } = await receiver(() => {});
    const emitter = httpForwardEmitter({ url, timeoutMs: 200 });
    const settled = await Promise.allSettled(Array.from({ length: 100 }, () => emitter(messageOf(), contextOf())));
    expect(settled.every(({ status }) => status === "rejected")).toBe(true);
    await noConnections(server);
  });

  it("settles by the status, whatever comes behind it [J1]", async () => {
    const { url, server } = await receiver((res) => {
      res.writeHead(200);
      const more = (): void => void (res.write("x".repeat(65_536)) && setImmediate(more));
      res.on("drain", more);
      more();
    });
    await emitTo({ url });
    // It is not read to its end, which it does not have.
    await noConnections(server);
  });

  it("speaks TLS, and to nobody whose certificate is not trusted [J1]", async () => {
    const { key, cert } = makeCertificate("localhost");
    const got: unknown[] = [];
    const server = https.createServer({ key, cert }, (req, res) => {
      got.push(req.headers["ce-id"]);
      res.writeHead(204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    const emitter = httpForwardEmitter({ url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await expect(emitter(messageOf(), contextOf())).rejects.toThrow("self-signed certificate");
    expect(got).toHaveLength(0);

    const { connect } = tls;
    jest
      .spyOn(tls, "connect")
      .mockImplementation(((options: tls.ConnectionOptions) =>
        connect({ ...options, ca: cert })) as typeof tls.connect);
    const message = messageOf();
    await emitter(message, contextOf());
    expect(got).toEqual([message.key]);
  });

  it("rejects where the connection ends without an answer, or with something else [J1]", async () => {
    for (const said of [
      "",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
      "SSH-2.0\r\n",
    ]) {
      const server = net.createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", () => socket.end(said));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      await expect(emitTo({ url: `http://127.0.0.1:${port}` })).rejects.toThrow(`127.0.0.1:${port}`);
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("uses connections again, and once more goes by a new one where a kept one was closed [J1]", async () => {
    let connections = 0;
    let requests = 0;
    // Answers the first request of a connection, and resets the connection at the next.
    const server = net.createServer((socket) => {
      connections++;
      let seen = 0;
      socket.on("error", () => {});
      socket.on("data", (chunk) => {
        if (!chunk.includes("POST ")) return;
        requests++;
        if (++seen === 1) socket.write("HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
        else socket.resetAndDestroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const emitter = httpForwardEmitter({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await emitter(messageOf(), contextOf());
    await new Promise((resolve) => setImmediate(resolve));
    await emitter(messageOf(), contextOf());
    expect([connections, requests]).toEqual([2, 3]);
  });

  it("refuses wrong options while the server starts [J1]", () => {
    const made = (options: object) => () => httpForwardEmitter({ url: "http://orders.internal", ...options });
    expect(made({})).not.toThrow();
    expect(made({ url: "orders.internal" })).toThrow("is no URL of http: or https:");
    expect(made({ url: "ftp://x" })).toThrow(TypeError);
    expect(made({ url: undefined })).toThrow(TypeError);
    expect(made({ url: "http://a:b@x" })).toThrow("Authorization");
    expect(made({ urls: "x" })).toThrow("Did you mean url?");
    expect(made({ mode: "batched" })).toThrow(TypeError);
    expect(made({ timeoutMs: -1 })).toThrow(TypeError);
    expect(made({ permanentStatuses: ["x"] })).toThrow(TypeError);
    expect(made({ headers: { "a b": "c" } })).toThrow("Header name");
    expect(made({ headers: { a: "b\r\nc: d" } })).toThrow("Invalid character in header content");
    expect(made({ headers: { "Content-Length": "1" } })).toThrow("Content-Length is set by httpForwardEmitter");
    expect(made({ allowedHosts: ["x"] })).toThrow("it is for a url that is a function");
    expect(made({ url: () => "", fetch })).toThrow("needs allowPrivateAddresses");
    expect(made({ url: () => "", fetch: 1, allowPrivateAddresses: true })).toThrow("fetch: 1 is not a function");
    for (const host of ["https://x", "x/y", "a@b", ""]) {
      expect(made({ url: () => "", allowedHosts: [host] })).toThrow("allowedHosts");
    }
  });
});

describe("httpForwardEmitter, to a URL that a function tells", () => {
  it("asks the function for each message, and takes a promise [G1]", async () => {
    const { url, got } = await receiver();
    const emitter = httpForwardEmitter({
      url: async ({ groupId }) => new URL(`${url}&group=${groupId}`),
      allowHttp: true,
      allowPrivateAddresses: true,
    });
    await emitter(messageOf({ groupId: "a" }), contextOf());
    expect(got).toHaveLength(1);
  });

  it.each([
    "https://127.0.0.1",
    "https://127.1",
    "https://2130706433",
    "https://0x7f.0.0.1",
    "https://0",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[::]",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1",
    "https://[fd00::1]",
    "https://[64:ff9b::169.254.169.254]",
    "https://localhost",
  ])("reaches nobody at %s [J1]", async (url) => {
    await expect(emitTo({ url: () => url })).rejects.toThrow("no public address");
  });

  it("connects to no private address, whatever a name stood for before [J1]", async () => {
    const { port, got } = await receiver();
    const answers = [[{ address: "127.0.0.1", family: 4 }], [{ address: "::1", family: 6 }]];
    const lookup = jest
      .spyOn(dns, "lookup")
      .mockImplementation(((_host: string, _options: object, callback: Function) =>
        callback(null, answers.shift())) as unknown as typeof dns.lookup);
    const emitter = httpForwardEmitter({ url: () => `http://rebinding.example:${port}`, allowHttp: true });
    for (let round = 0; round < 2; round++) {
      await expect(emitter(messageOf(), contextOf())).rejects.toThrow("no public address");
    }
    expect(lookup).toHaveBeenCalledTimes(2);
    expect(got).toHaveLength(0);
  });

  it("takes https: alone, and allowed hosts alone, unless told otherwise [J1]", async () => {
    const allowedHosts = ["Hooks.example", "hooks.example:8443"];
    const to = (url: string, more = {}) => emitTo({ url: () => url, allowedHosts, ...more });
    await expect(to("http://hooks.example")).rejects.toThrow("is not https:, and allowHttp is false");
    for (const url of ["https://other.example", "https://hooks.example:22", "https://x.hooks.example"]) {
      await expect(to(url)).rejects.toThrow("is not among allowedHosts");
    }
    // An allowed host is looked at all the same.
    await expect(emitTo({ url: () => "https://localhost", allowedHosts: ["localhost"] })).rejects.toThrow(
      "no public address",
    );
    await expect(to("file:///etc/passwd")).rejects.toThrow("is no URL of http: or https:");
    await expect(to("https://a:b@hooks.example")).rejects.toThrow("Authorization");
    await expect(to("")).rejects.toThrow("is no URL");
  });

  it("follows no redirect into the own network [J1]", async () => {
    const inner = await receiver();
    const outer = await receiver((res) => res.writeHead(307, { Location: inner.url }).end());
    for (const more of [{}, { fetch }]) {
      await expect(emitTo({ url: outer.url, ...more })).rejects.toThrow("redirects are not followed");
    }
    expect(inner.got).toHaveLength(0);
  });

  it("is refused with 503, and says why in the log alone [J1]", async () => {
    const { port, lines } = await serveNode({ emitter: httpForwardEmitter({ url: () => "https://127.0.0.1" }) });
    const answer = await send(port, { body: "7" });
    expect(answer.status).toBe(503);
    expect(answer.text).not.toContain("127.0.0.1");
    expect(lines.join()).toContain("127.0.0.1 has no public address");
    await until(() => lines.length > 0);
  });
});

describe("publicLookup", () => {
  const inner = { address: "10.0.0.1", family: 4 };
  const outer = { address: "2606:4700::1111", family: 6 };
  const answering = (found: object[]) =>
    jest.spyOn(dns, "lookup").mockImplementation(((_host: string, options: dns.LookupOptions, callback: Function) => {
      expect(options.all).toBe(true);
      callback(null, found);
    }) as unknown as typeof dns.lookup);
  const looked = (options: dns.LookupOptions) =>
    new Promise<unknown[]>((resolve) => publicLookup("mixed.example", options, (...args) => resolve(args)));

  it("tells the public ones of a name's addresses, one or all as asked [J1]", async () => {
    answering([inner, outer, inner]);
    expect(await looked({ all: true })).toEqual([null, [outer]]);
    expect(await looked({})).toEqual([null, outer.address, outer.family]);
  });

  it("tells none where all are private, or where there is no such name [J1]", async () => {
    answering([inner, inner]);
    expect(await looked({ all: true })).toMatchObject([{ message: expect.stringContaining("no public address") }, []]);
    jest.restoreAllMocks();
    jest
      .spyOn(dns, "lookup")
      .mockImplementation(((_host: string, _options: object, callback: Function) =>
        callback(new Error("ENOTFOUND"))) as unknown as typeof dns.lookup);
    expect(await looked({ all: true })).toMatchObject([{ message: "ENOTFOUND" }, []]);
  });
});

describe("isPublicAddress", () => {
  it.each([
    ["93.184.215.14", true],
    ["1.1.1.1", true],
    ["2606:4700::1111", true],
    ["::ffff:1.1.1.1", true],
    ["64:ff9b::101:101", true],
    ["0.0.0.0", false],
    ["10.1.2.3", false],
    ["100.64.0.1", false],
    ["127.0.0.1", false],
    ["169.254.1.1", false],
    ["172.16.0.1", false],
    ["192.0.0.170", false],
    ["192.168.0.1", false],
    ["198.18.0.1", false],
    ["224.0.0.1", false],
    ["255.255.255.255", false],
    ["::", false],
    ["::1", false],
    ["::7f00:1", false],
    ["::ffff:10.0.0.1", false],
    ["::ffff:0:127.0.0.1", false],
    ["64:ff9b::a9fe:a9fe", false],
    ["64:ff9b:1::1", false],
    ["100::1", false],
    ["2001::1", false],
    ["2001:db8::1", false],
    ["2002:7f00:1::", false],
    ["3fff::1", false],
    ["5f00::1", false],
    ["fc00::1", false],
    ["fd12::1", false],
    ["fe80::1", false],
    ["fe80::1%eth0", false],
    ["fec0::1", false],
    ["ff02::1", false],
    ["localhost", false],
    ["", false],
  ])("of %s is %s [J1]", (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic);
  });
});
