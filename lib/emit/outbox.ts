/**
 * What outboxes in databases share: the row that a message becomes, and rows inserted many at a time.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Emitter, Message } from "../message";
import { attributesOf } from "./attributes";
import { batcher } from "./batch";

/** A longer one would not fit into an index: PostgreSQL takes 2,704 octets, InnoDB 3,072. */
const MAX_GROUP_LENGTH = 256;
const MAX_ROWS = 100;
/** MySQL and MariaDB take a statement of 16 MiB unless told otherwise. */
const MAX_BYTES = 4 * 1024 * 1024;

/** What most are: told faster. */
const PLAIN = /^[\t -~]*$/;

export type OutboxRow = {
  readonly key: string;
  readonly groupId: string | null;
  readonly contentType: string;
  readonly octets: Buffer;
  /** JSON. */
  readonly attributes: string;
  /** JSON. */
  readonly fields: string;
};

/** The row of a message. */
export function outboxRow(message: Message): OutboxRow {
  const { key, groupId, contentType = "application/json", octets, fields } = message;
  return {
    key,
    groupId: groupId ? groupOf(groupId) : null,
    contentType: storable(contentType),
    octets,
    attributes: JSON.stringify(attributesOf(message)),
    fields: JSON.stringify(fields, (_, value: unknown) => (typeof value === "string" ? storable(value) : value)),
  };
}

/** PostgreSQL's text and jsonb hold neither U+0000 nor a lone surrogate. */
function storable(value: string): string {
  if (PLAIN.test(value)) return value;
  return value.replaceAll("\0", "\uFFFD").replaceAll(/\p{Cs}/gu, "\uFFFD");
}

/** What is too long, or would have to be altered, stands as its digest, so that two groups never become one. */
function groupOf(groupId: string): string {
  if (groupId.length <= MAX_GROUP_LENGTH && groupId === storable(groupId)) return groupId;
  return createHash("sha256").update(groupId, "utf16le").digest("hex");
}

export type OutboxOptions = {
  /** Inserts rows by one statement: all of them, or none. */
  readonly insert: (rows: readonly OutboxRow[]) => Promise<unknown>;
  /** Whether one row may be to blame for the failure of all. */
  readonly isOfOneRow: (error: unknown) => boolean;
  /** What a failure comes to. */
  readonly explained: (error: unknown) => unknown;
  readonly timeoutMs: number;
};

/** Creates an emitter that inserts what comes at the same time together, a batch after the other. */
export function outboxEmitter({ insert, isOfOneRow, explained, timeoutMs }: OutboxOptions): Emitter {
  async function insertOne(row: OutboxRow): Promise<Error | undefined> {
    try {
      await insert([row]);
      return undefined;
    } catch (error) {
      return explained(error) as Error;
    }
  }

  const add = batcher<OutboxRow>({
    maxItems: MAX_ROWS,
    maxBytes: MAX_BYTES,
    bytesOf: ({ octets, attributes, fields }) => octets.length + attributes.length + fields.length,
    timeoutMs,
    async send(rows) {
      try {
        await insert(rows);
        return undefined;
      } catch (error) {
        if (rows.length === 1 || !isOfOneRow(error)) throw explained(error);
        // One bad row must not fail its neighbours, whoever sent them.
        const errors: (Error | undefined)[] = [];
        for (const row of rows) errors.push(await insertOne(row));
        return errors;
      }
    },
  });
  return async (message, context) => add(outboxRow(message), context);
}
