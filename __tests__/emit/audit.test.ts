import { EventEmitter } from "node:events";
import {
  auditTrail,
  type AuditAttributes,
  type Auditor,
  type AuditRecord,
  type AuditTrailOptions,
} from "express-webhook-node/emit/audit";
import type { Message } from "express-webhook-node";
import { recordingLogger, send, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const TRACKING_ID = "0".repeat(32);

function message(members: Partial<Message> = {}): Message {
  return {
    trackingId: TRACKING_ID,
    node: "orders",
    messageType: "echo.file",
    octets: Buffer.from("{}"),
    payload: {},
    ...members,
  } as Message;
}

type Audited = {
  readonly audit: ReturnType<typeof auditTrail>;
  readonly records: AuditRecord[];
  readonly lines: string[];
};

function audited(options: AuditTrailOptions = {}): Audited {
  const records: AuditRecord[] = [];
  const lines: string[] = [];
  const audit = auditTrail({
    sink: (record) => void records.push(record),
    logger: recordingLogger(lines),
    ...options,
  });
  return { audit, records, lines };
}

/** The attributes that a record has of what an auditor returns. */
async function attributesOf(returned: unknown, messageType = "echo.file"): Promise<object> {
  const { audit, records } = audited({ auditor: () => returned as AuditAttributes });
  audit(message({ messageType }));
  await audit.settled();
  const standard = ["datetime", "message_type", "node", "tracking_id"];
  return Object.fromEntries(Object.entries(records[0] as AuditRecord).filter(([field]) => !standard.includes(field)));
}

describe("auditTrail", () => {
  it("makes one record of each message, with its standard fields [I1]", async () => {
    const { audit, records } = audited();
    const begin = Date.now();
    audit(message());
    audit(message({ trackingId: "1".repeat(32) }));
    await audit.settled();
    expect(records).toEqual([
      { datetime: expect.any(String), message_type: "echo.file", node: "orders", tracking_id: TRACKING_ID },
      { datetime: expect.any(String), message_type: "echo.file", node: "orders", tracking_id: "1".repeat(32) },
    ]);
    const { datetime } = records[0] as AuditRecord;
    expect(new Date(datetime).toISOString()).toBe(datetime);
    expect(Date.parse(datetime)).toBeGreaterThanOrEqual(begin);
    expect(Object.isFrozen(records[0])).toBe(true);
  });

  it("names the tenant where there is one [I1]", async () => {
    const { audit, records } = audited({ tenant: "acme" });
    audit(message());
    await audit.settled();
    expect(records[0]).toMatchObject({ tenant: "acme" });
  });

  it("tells what a message was split from, and only of one that was [I1]", async () => {
    const { audit, records } = audited();
    audit(message({ previousTrackingIds: ["a".repeat(32), "b".repeat(32)] }));
    audit(message());
    await audit.settled();
    expect(records[0]).toMatchObject({ prev_tracking_ids: ["a".repeat(32), "b".repeat(32)] });
    expect(records[1]).not.toHaveProperty("prev_tracking_ids");
  });

  it.each<[string, unknown]>([
    ["sync", { name: "a.csv", content_length: 12 }],
    ["async", Promise.resolve({ name: "a.csv", content_length: 12 })],
  ])("puts the message type's name before each attribute of a %s auditor [I1]", async (_, returned) => {
    expect(await attributesOf(returned)).toEqual({ echo_file_name: "a.csv", echo_file_content_length: 12 });
  });

  it.each([
    ["echo.file", "content-type", "echo_file_content_type"],
    ["echo.file", "a b", "echo_file_a_b"],
    ["a:b/c=d+e@f g-h", "x", "a_b_c_d_e_f_g_h_x"],
    ["shop.order", "total ($)", "shop_order_total____"],
    ["shop.order", "größe…", "shop_order_größe_"],
    ["shop.order", "a__b", "shop_order_a__b"],
    ["Shop.Order", "Total", "Shop_Order_Total"],
  ])("makes spaces and punctuation of %j and %j to %j [I1]", async (messageType, attribute, field) => {
    expect(await attributesOf({ [attribute]: 1 }, messageType)).toEqual({ [field]: 1 });
  });

  it("keeps what is flat, and leaves out what is not", async () => {
    const returned = {
      text: "",
      number: 1.5,
      infinite: Infinity,
      large: 12n,
      yes: true,
      nothing: null,
      absent: undefined,
      at: new Date(0),
      never: new Date(NaN),
      list: [1],
      members: { a: 1 },
      call: () => 1,
      symbol: Symbol("s"),
    };
    expect(await attributesOf(returned)).toEqual({
      echo_file_text: "",
      echo_file_number: 1.5,
      echo_file_infinite: null,
      echo_file_large: "12",
      echo_file_yes: true,
      echo_file_nothing: null,
      echo_file_at: "1970-01-01T00:00:00.000Z",
    });
  });

  it("says once of each attribute that it is left out", async () => {
    const { audit, lines } = audited({ auditor: () => ({ list: [1] }) as never });
    audit(message());
    audit(message());
    await audit.settled();
    expect(lines).toEqual(["error: webhook orders: the auditor's echo_file_list is left out: it is not flat"]);
  });

  it("lets no attribute take the place of another field", async () => {
    const { audit, records, lines } = audited({ auditor: () => ({ id: "x", "a.b": 1, "a-b": 2 }) });
    audit(message({ messageType: "tracking" }));
    await audit.settled();
    expect(records[0]).toMatchObject({ tracking_id: TRACKING_ID, tracking_a_b: 1 });
    expect(lines.filter((line) => line.includes("there is one already"))).toHaveLength(2);
  });

  it("poisons nothing [T11]", async () => {
    const { audit, records } = audited({ auditor: () => ({ _: "x" }) });
    audit(message({ messageType: "__proto_" }));
    await audit.settled();
    expect(Object.keys(records[0] as AuditRecord)).toContain("__proto___");
    audit(message({ messageType: "__proto" }));
    await audit.settled();
    expect(Object.getPrototypeOf(records[1])).toBe(Object.prototype);
  });

  it("emits each record as an event too [I1]", async () => {
    const events = new EventEmitter();
    const heard: AuditRecord[] = [];
    events.on("audit", (record: AuditRecord) => heard.push(record));
    const { audit, records } = audited({ events });
    audit(message());
    await audit.settled();
    expect(heard).toEqual(records);
    expect(heard).toHaveLength(1);
  });

  it("asks no auditor where nobody wants a record", async () => {
    const auditor = jest.fn<AuditAttributes, [Message]>(() => ({}));
    const events = new EventEmitter();
    const audit = auditTrail({ auditor, events });
    audit(message());
    await audit.settled();
    expect(auditor).not.toHaveBeenCalled();
    events.on("audit", () => {});
    audit(message());
    await audit.settled();
    expect(auditor).toHaveBeenCalledTimes(1);
  });

  it("returns before the auditor is asked", async () => {
    const auditor = jest.fn<AuditAttributes, [Message]>(() => ({}));
    const { audit, records } = audited({ auditor });
    audit(message());
    await Promise.resolve();
    expect(auditor).not.toHaveBeenCalled();
    await audit.settled();
    expect(records).toHaveLength(1);
  });

  it.each<[string, Auditor]>([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
    ["returns a text", () => "no" as never],
    ["returns null", () => null as never],
    ["returns a list", () => ["no"] as never],
    ["does not settle", () => new Promise(() => {})],
    ["settles too late", () => new Promise((_, reject) => setTimeout(() => reject(new Error("late")), 40))],
  ])("makes a record without its attributes if the auditor %s [I1]", async (_, auditor) => {
    const { audit, records, lines } = audited({ auditor, timeoutMs: 20 });
    audit(message());
    await audit.settled();
    expect(Object.keys(records[0] as AuditRecord)).toEqual(["datetime", "message_type", "node", "tracking_id"]);
    expect(lines).toEqual([expect.stringMatching(/^error: webhook orders: the auditor has failed; .* \| /)]);
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(records).toHaveLength(1);
  });

  it("makes a record without attributes of an auditor that has none to tell", async () => {
    expect(await attributesOf(undefined)).toEqual({});
  });

  it("tells that an auditor fails when it begins, and how often when it has ended", async () => {
    let fails = true;
    const auditor: Auditor = () => {
      if (fails) throw new Error("no");
      return {};
    };
    const { audit, lines } = audited({ auditor });
    for (let count = 0; count < 3; count++) audit(message());
    await audit.settled();
    fails = false;
    audit(message());
    audit(message());
    await audit.settled();
    expect(lines).toEqual([
      "error: webhook orders: the auditor has failed; audit records are without its attributes | no",
      "error: webhook orders: the auditor works again; 3 records were without its attributes",
    ]);
  });

  it("tells that a sink fails when it begins, and how often when it has ended", async () => {
    let fails = true;
    const sink = jest.fn(async () => {
      if (fails) throw new Error("full");
    });
    const { audit, lines } = audited({ sink });
    for (let count = 0; count < 3; count++) audit(message());
    await audit.settled();
    fails = false;
    audit(message());
    await audit.settled();
    expect(lines).toEqual([
      "error: webhook orders: audit records are being lost | full",
      "error: webhook orders: audit records are kept again; 3 were lost",
    ]);
    expect(sink).toHaveBeenCalledTimes(4);
  });

  it.each<[string, AuditTrailOptions]>([
    [
      "sink",
      {
        sink: () => {
          throw new Error("no");
        },
      },
    ],
    [
      "listener",
      {
        events: new EventEmitter().on("audit", () => {
          throw new Error("no");
        }),
      },
    ],
    [
      "logger",
      {
        auditor: () => Promise.reject(new Error("no")),
        logger: Object.fromEntries(
          ["debug", "info", "warn", "error"].map((level) => [
            level,
            () => {
              throw new Error("no");
            },
          ]),
        ) as never,
      },
    ],
  ])("throws nothing where a %s does [I1]", async (_, options) => {
    const { audit } = audited(options);
    expect(() => audit(message())).not.toThrow();
    await audit.settled();
  });

  it("keeps 10,000 records at most for a sink that settles none", async () => {
    let settle = (): void => {};
    const settled = new Promise<void>((resolve) => (settle = resolve));
    let asked = 0;
    const { audit, lines } = audited({ sink: () => (asked++, settled) });
    for (let count = 0; count < 10_050; count++) audit(message());
    await until(() => asked === 10_000);
    audit(message());
    settle();
    await audit.settled();
    expect(asked).toBe(10_000);
    expect(lines).toEqual([
      "error: webhook orders: 10000 audit records are under way; more are lost",
      "error: webhook orders: audit records are kept again; 51 were lost",
    ]);
  });

  it("keeps 64 MiB of messages at most for an auditor that is slow", async () => {
    const octets = Buffer.alloc(16 * 1_048_576);
    const auditor = jest.fn<Promise<AuditAttributes>, [Message]>(async () => ({ a: 1 }));
    const { audit, records, lines } = audited({ auditor });
    for (let count = 0; count < 6; count++) audit(message({ octets }));
    await audit.settled();
    expect(auditor).toHaveBeenCalledTimes(4);
    expect(records).toHaveLength(6);
    expect(records.filter((record) => "echo_file_a" in record)).toHaveLength(4);
    expect(lines[0]).toContain("the auditor is too slow");
    audit(message({ octets }));
    await audit.settled();
    expect(auditor).toHaveBeenCalledTimes(5);
  });

  it.each<[object, RegExp]>([
    [{ auditor: 5 }, /^auditor: 5 is not a function/],
    [{ sink: {} }, /^auditSink: an object is not a function/],
    [{ timeoutMs: NaN }, /^auditTimeoutMs: NaN/],
    [{ tenant: "" }, /^tenant: /],
    [{ logger: {} }, /^logger: /],
    [{ audtor: () => ({}) }, /Did you mean auditor\?/],
  ])("refuses at start: %j", (options, line) => {
    expect(() => auditTrail(options as AuditTrailOptions)).toThrow(TypeError);
    expect(() => auditTrail(options as AuditTrailOptions)).toThrow(line);
  });
});

describe("an audit of deliveries", () => {
  it("neither fails nor delays an answer [I1]", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const { audit, records } = audited({
      timeoutMs: 5000,
      auditor: async () => {
        await held;
        throw new Error("no");
      },
    });
    const { port } = await serveNode({ name: "orders", emitter: async (delivered) => audit(delivered) });
    const { status, json } = await send(port, { body: "{}" });
    expect(status).toBe(200);
    expect(records).toEqual([]);
    release();
    await until(() => records.length === 1);
    expect(records[0]).toMatchObject({ node: "orders", message_type: "echo.json", tracking_id: json.trackingId });
  });
});
