/**
 * Keeps bulk data in S3, or in what speaks its protocol, in parts while it streams. Here every delivery is archived, as
 * signed, before it is taken.
 *
 *     npm install @aws-sdk/client-s3
 *     WEBHOOK_SECRET=... BUCKET=... AWS_REGION=... node examples/bulk-s3.js
 */
const express = require("express");
const { allOf, AuthCredentials, createWebhookNode, hmacAuthenticator, SimpleUser } = require("express-webhook-node");
const { createTenant } = require("express-webhook-node/tenant/tenant");
const { randomUUID } = require("node:crypto");

/**
 * The methods that are called on the client: `new S3()` of @aws-sdk/client-s3 has them.
 *
 * @typedef {object} Client
 * @property {(input: object) => Promise<unknown>} putObject
 * @property {(input: object) => Promise<{ UploadId?: string }>} createMultipartUpload
 * @property {(input: object) => Promise<{ ETag?: string }>} uploadPart
 * @property {(input: object) => Promise<unknown>} completeMultipartUpload
 * @property {(input: object) => Promise<unknown>} abortMultipartUpload
 */

/**
 * Memory holds one part of each stream. S3 takes none but the last below 5 MiB, and 10,000 of them.
 *
 * @param {{ client: Client, bucket: string, baseUrl?: string, partBytes?: number }} options
 * @returns {import("express-webhook-node/tenant/bulk-store").BulkStore}
 */
function s3BulkStore({ client, bucket, baseUrl = `https://${bucket}.s3.amazonaws.com/`, partBytes = 8 * 1_048_576 }) {
  return async function s3BulkStore(octets, { tenant, node, contentEncoding }) {
    const path = [tenant, node, randomUUID()];
    const object = { Bucket: bucket, Key: path.join("/") };
    // Who downloads it gets what was stored: the content coding is undone on the way.
    const fields = { ContentType: "application/octet-stream", ContentEncoding: contentEncoding };
    let upload;
    try {
      const Parts = [];
      for await (const { Body, isLast } of partsOf(octets, partBytes)) {
        if (isLast && !upload) {
          await client.putObject({ ...object, ...fields, Body });
          break;
        }
        upload ??= { ...object, UploadId: (await client.createMultipartUpload({ ...object, ...fields })).UploadId };
        const PartNumber = Parts.length + 1;
        const { ETag } = await client.uploadPart({ ...upload, PartNumber, Body });
        Parts.push({ ETag, PartNumber });
      }
      if (upload) await client.completeMultipartUpload({ ...upload, MultipartUpload: { Parts } });
    } catch (error) {
      // Parts of an upload that is not ended are kept, and paid for. What fails here is told by what failed first.
      if (upload) await client.abortMultipartUpload(upload).catch(() => {});
      throw error;
    }
    return new URL(path.map(encodeURIComponent).join("/"), baseUrl);
  };
}

/** Cuts a stream into parts of one length. The last may be shorter, or all there is. */
async function* partsOf(octets, partBytes) {
  let chunks = [];
  let length = 0;
  for await (const chunk of octets) {
    chunks.push(chunk);
    length += chunk.length;
    if (length <= partBytes) continue;
    let held = Buffer.concat(chunks);
    for (; held.length > partBytes; held = held.subarray(partBytes)) {
      yield { Body: held.subarray(0, partBytes), isLast: false };
    }
    chunks = [held];
    length = held.length;
  }
  yield { Body: Buffer.concat(chunks), isLast: true };
}

/**
 * Archives a delivery, and then accepts it.
 *
 * @type {import("express-webhook-node").Authenticator<import("express-webhook-node").Context>}
 */
async function archive({ context, body, signal }) {
  const url = await context.handleBulkData(await body.bytes(), { signal });
  context.logger.info(`archived ${url}`);
  return [new AuthCredentials(), new SimpleUser("archive")];
}

/** @param {{ secret: string | undefined, store: import("express-webhook-node/tenant/bulk-store").BulkStore, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ secret, store, emitter, logger }) {
  const tenant = createTenant({ name: "acme", bulkStore: store, logger });
  const app = express();
  app.use(
    "/webhooks/orders",
    createWebhookNode({
      tenant,
      name: "orders",
      // What the shop has not signed is refused before it comes to the archive.
      authenticator: allOf(hmacAuthenticator({ name: "shop", header: "X-Shop-Signature", secrets: [secret] }), archive),
      emitter,
    }),
  );
  return app;
}

module.exports = { createApp, s3BulkStore };

if (require.main === module) {
  // @ts-expect-error -- it is for the app to install
  const { S3 } = require("@aws-sdk/client-s3");
  const app = createApp({
    secret: process.env.WEBHOOK_SECRET,
    store: s3BulkStore({ client: new S3(), bucket: String(process.env.BUCKET) }),
    emitter: async (message) => console.log(message.trackingId, message.payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/orders"));
}
