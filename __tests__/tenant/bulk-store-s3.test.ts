/**
 * The example with S3, against a client that keeps objects in memory as S3 does.
 */
import { createHmac, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { gunzipSync, inflateSync } from "node:zlib";
import type { Express } from "express";
import type { Message } from "express-webhook-node";
import { bulkDataHandler, type BulkStore } from "express-webhook-node/tenant/bulk-data";
import { recordingLogger, send, serveApp } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

const example = require("../../examples/bulk-s3.js") as {
  s3BulkStore: (options: { client: object; bucket: string; partBytes?: number; baseUrl?: string }) => BulkStore;
  createApp: (options: object) => Express;
};

type Input = {
  readonly Bucket: string;
  readonly Key: string;
  readonly Body?: Buffer;
  readonly ContentEncoding?: string;
  readonly UploadId?: string;
  readonly PartNumber?: number;
  readonly MultipartUpload?: { readonly Parts: readonly { readonly ETag: string; readonly PartNumber: number }[] };
};

/** Keeps objects as S3 does: an upload is nothing until it is completed. The call number `failsAt` fails. */
function fakeS3({ failsAt = Infinity }: { failsAt?: number } = {}) {
  const objects = new Map<string, { readonly octets: Buffer; readonly contentEncoding: string | undefined }>();
  const uploads = new Map<string, { readonly input: Input; readonly parts: Map<string, Buffer> }>();
  const calls: string[] = [];
  const call =
    (name: string, run: (input: Input) => object): ((input: Input) => Promise<object>) =>
    async (input) => {
      calls.push(name);
      if (calls.length === failsAt) throw new Error(`${name} failed`);
      return run(input);
    };
  const uploadOf = ({ UploadId = "" }: Input) => {
    const upload = uploads.get(UploadId);
    if (!upload) throw new Error("NoSuchUpload");
    return upload;
  };
  const client = {
    putObject: call("putObject", ({ Key, Body, ContentEncoding }) => {
      objects.set(Key, { octets: Buffer.from(Body!), contentEncoding: ContentEncoding });
      return {};
    }),
    createMultipartUpload: call("createMultipartUpload", (input) => {
      const UploadId = `upload ${calls.length}`;
      uploads.set(UploadId, { input, parts: new Map() });
      return { UploadId };
    }),
    uploadPart: call("uploadPart", (input) => {
      const ETag = `"${input.PartNumber}"`;
      uploadOf(input).parts.set(ETag, Buffer.from(input.Body!));
      return { ETag };
    }),
    completeMultipartUpload: call("completeMultipartUpload", (input) => {
      const { input: begun, parts } = uploadOf(input);
      const octets = Buffer.concat(input.MultipartUpload!.Parts.map(({ ETag }) => parts.get(ETag)!));
      objects.set(input.Key, { octets, contentEncoding: begun.ContentEncoding });
      uploads.delete(input.UploadId!);
      return {};
    }),
    abortMultipartUpload: call("abortMultipartUpload", (input) => {
      uploadOf(input);
      uploads.delete(input.UploadId!);
      return {};
    }),
  };
  return { client, objects, uploads, calls };
}

const NAMES = { tenant: "acme", node: "orders & more" };
const PART = 1000;

watchUnhandled();

describe("s3BulkStore of examples/bulk-s3.js", () => {
  it.each([
    ["nothing", 0, ["putObject"]],
    ["less than a part", 10, ["putObject"]],
    [
      "some parts",
      3000,
      ["createMultipartUpload", "uploadPart", "uploadPart", "uploadPart", "uploadPart", "completeMultipartUpload"],
    ],
  ])("stores %s as one object, which its URL names [F2]", async (_, bytes, calls) => {
    for (const contentEncoding of ["gzip", "deflate"] as const) {
      const s3 = fakeS3();
      const store = example.s3BulkStore({ client: s3.client, bucket: "b", partBytes: PART });
      const octets = randomBytes(bytes);
      const url = new URL(await bulkDataHandler(store, NAMES)(octets, { contentEncoding }));

      const [[key, object]] = [...s3.objects] as [[string, { octets: Buffer; contentEncoding: string }]];
      const decode = { gzip: gunzipSync, deflate: inflateSync }[contentEncoding];
      expect(decode(object.octets).equals(octets)).toBe(true);
      expect(object.contentEncoding).toBe(contentEncoding);
      expect(url.origin).toBe("https://b.s3.amazonaws.com");
      expect(decodeURIComponent(url.pathname.slice(1))).toBe(key);
      expect(key).toMatch(/^acme\/orders & more\/[0-9a-f-]{36}$/);
      expect(s3.calls).toEqual(calls);
    }
  });

  it("cuts parts of one length, at whatever chunks the stream comes in [F2]", async () => {
    for (const sizes of [[PART], [PART, 1], [PART - 1, 1], [1, PART], [PART * 3], [PART * 2, 1, PART], [7, 7, 7]]) {
      const lengths: number[] = [];
      const { client, objects } = fakeS3();
      const observed = {
        ...client,
        uploadPart: (input: Input) => (lengths.push(input.Body!.length), client.uploadPart(input)),
      };
      const whole = randomBytes(sizes.reduce((sum, size) => sum + size, 0));
      let at = 0;
      const chunks = sizes.map((size) => whole.subarray(at, (at += size)));
      const store = example.s3BulkStore({ client: observed, bucket: "b", partBytes: PART });
      await store(Readable.from(chunks), { ...NAMES, contentEncoding: "gzip" });

      expect([...objects.values()][0]!.octets.equals(whole)).toBe(true);
      expect(lengths.slice(0, -1)).toEqual(lengths.slice(0, -1).map(() => PART));
      expect(lengths.at(-1) ?? 1).toBeLessThanOrEqual(PART);
    }
  });

  it("leaves neither object nor upload behind where the n-th call fails, for any n [F2]", async () => {
    const octets = randomBytes(3 * PART);
    const all = fakeS3();
    await bulkDataHandler(example.s3BulkStore({ client: all.client, bucket: "b", partBytes: PART }), NAMES)(octets);
    for (let failsAt = 1; failsAt <= all.calls.length; failsAt++) {
      const { client, objects, uploads, calls } = fakeS3({ failsAt });
      const handle = bulkDataHandler(example.s3BulkStore({ client, bucket: "b", partBytes: PART }), NAMES);
      await expect(handle(octets)).rejects.toThrow(`${calls[failsAt - 1] ?? ""} failed`.trim());
      expect([objects.size, uploads.size]).toEqual([0, 0]);
    }
  });

  it("leaves nothing behind where the stream fails, before or amid its parts [F2]", async () => {
    for (const bytes of [10, 5 * PART]) {
      const { client, objects, uploads } = fakeS3();
      const failing = async function* () {
        yield randomBytes(bytes);
        yield randomBytes(bytes);
        throw new Error("the sender has gone");
      };
      const handle = bulkDataHandler(example.s3BulkStore({ client, bucket: "b", partBytes: PART }), NAMES);
      await expect(handle(failing())).rejects.toThrow("the sender has gone");
      expect([objects.size, uploads.size]).toEqual([0, 0]);
    }
  });
});

describe("the app of examples/bulk-s3.js", () => {
  const body = '{"order":7}';
  const headers = { "x-shop-signature": createHmac("sha256", "s").update(body).digest("hex") };

  it("archives what the shop has signed, and takes it then [F2, J1]", async () => {
    const { client, objects } = fakeS3();
    const messages: Message[] = [];
    const lines: string[] = [];
    const app = example.createApp({
      secret: "s",
      store: example.s3BulkStore({ client, bucket: "b" }),
      emitter: async (message: Message) => void messages.push(message),
      logger: recordingLogger(lines),
    });
    const { port } = await serveApp(app);

    expect((await send(port, { path: "/webhooks/orders", headers, body })).status).toBe(200);
    expect((await send(port, { path: "/webhooks/orders", body })).status).toBe(401);
    expect([...objects.values()].map(({ octets }) => gunzipSync(octets).toString())).toEqual([body]);
    expect(messages.map(({ sender }) => sender?.name)).toEqual(["shop"]);
    expect(lines[0]).toMatch(/^info: webhook orders: archived https:\/\/b\.s3\.amazonaws\.com\/acme\/orders\//);
  });

  it("takes nothing that it cannot archive [F2, J1]", async () => {
    const messages: Message[] = [];
    const app = example.createApp({
      secret: "s",
      store: example.s3BulkStore({ client: fakeS3({ failsAt: 1 }).client, bucket: "b" }),
      emitter: async (message: Message) => void messages.push(message),
      logger: recordingLogger([]),
    });
    const { port } = await serveApp(app);

    expect((await send(port, { path: "/webhooks/orders", headers, body })).status).toBe(500);
    expect(messages).toEqual([]);
  });
});
