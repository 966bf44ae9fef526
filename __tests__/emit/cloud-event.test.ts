/**
 * Messages as CloudEvents, held to the rules of CloudEvents 1.0.2:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 */
import { AuthCredentials, SimpleUser, toCloudEvent, type Message, type Source } from "express-webhook-node";
import { send, serveNode } from "../support/serve";

const source: Source = {
  name: "shop",
  authenticator: () => [new AuthCredentials(["push"]), new SimpleUser("the shop")],
  deliveryId: ({ payload }) => (payload as { id?: string }).id,
  eventType: ({ payload }) => (payload as { type?: string }).type,
};
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async function messageOf(options: object, headers: Record<string, string> = {}, body = "{}"): Promise<Message> {
  const { port, messages } = await serveNode(options);
  expect((await send(port, { headers, body })).status).toBe(200);
  return messages[0]!;
}

/** Says what of an event breaks the rules for attributes. */
function broken(event: object): string[] {
  const { data: _, ...attributes } = event as Record<string, unknown>;
  const problems: string[] = [];
  // Section "Attribute Naming Convention"
  for (const name of Object.keys(attributes)) if (!/^[a-z0-9]+$/.test(name)) problems.push(`name ${name}`);
  // Section "Type System": our attributes are all strings, without control characters.
  for (const [name, value] of Object.entries(attributes)) {
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    if (typeof value !== "string" || /[\u0000-\u001f\u007f-\u009f]/.test(value)) problems.push(`value of ${name}`);
  }
  // Section "Required Attributes", and "Partitioning": not empty
  for (const name of ["id", "source", "specversion", "type"]) if (!attributes[name]) problems.push(`no ${name}`);
  for (const name of ["datacontenttype", "partitionkey"]) if (attributes[name] === "") problems.push(`empty ${name}`);
  if (attributes["specversion"] !== "1.0") problems.push("specversion");
  // RFC 3986: a URI-reference
  if (!/^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/.test(String(attributes["source"]))) problems.push("source");
  // RFC 3339 section 5.6
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(String(attributes["time"]))) problems.push("time");
  return problems;
}

describe("toCloudEvent", () => {
  it("tells all of a message of a source [G2]", async () => {
    const options = { source, name: "orders", groupId: "g", messageType: { name: "own.order" } };
    const message = await messageOf(options, { traceparent, tracestate: "a=1" }, '{"id":"d-1","type":"created"}');
    const event = toCloudEvent(message);

    expect(event).toEqual({
      specversion: "1.0",
      id: message.key,
      source: "/orders/shop",
      type: "created",
      time: message.receivedAt.toISOString(),
      datacontenttype: "application/json",
      data: { id: "d-1", type: "created" },
      trackingid: message.trackingId,
      messagetype: "own.order",
      deliveryid: "d-1",
      sender: "the shop",
      partitionkey: "g",
      traceparent,
      tracestate: "a=1",
    });
    expect(broken(event)).toEqual([]);
  });

  it("has no attribute for what a message lacks [G1]", async () => {
    const message = await messageOf({});
    const event = toCloudEvent(message);

    expect(Object.keys(event).sort()).toEqual(
      ["specversion", "id", "source", "type", "time", "datacontenttype", "data", "trackingid", "messagetype"].sort(),
    );
    expect([event.source, event.type]).toEqual(["/webhook", "echo.json"]);
    expect(broken(event)).toEqual([]);
  });

  it.each<[string, object, Record<string, string>, string]>([
    ["names that are no path", { name: "a b/ü?#%", source: { ...source, name: "ö/ä" } }, {}, "{}"],
    ["an event type that is empty", { source }, {}, '{"type":""}'],
    ["a group that is empty", { source, groupId: () => "" }, {}, "{}"],
    ["another media type", { source }, { "content-type": "application/geo+json;a=1" }, "{}"],
    ["null for a payload", {}, {}, "null"],
  ])("is well-formed for %s", async (_, options, headers, body) => {
    expect(broken(toCloudEvent(await messageOf(options, headers, body)))).toEqual([]);
  });

  it("has the same id for a delivery that is sent again [G1]", async () => {
    const { port, messages } = await serveNode({ source });
    for (let times = 0; times < 2; times++) await send(port, { body: '{"id":"d-1"}' });
    const [first, again] = messages.map(toCloudEvent);

    expect(again!.id).toBe(first!.id);
    expect(again!.trackingid).not.toBe(first!.trackingid);
  });

  it("comes back from JSON as it was", async () => {
    const payload = { text: "é\u0000\u2028", list: [1, null, { a: true }], number: 1e21 };
    const message = await messageOf({ source, groupId: "g" }, { traceparent }, JSON.stringify(payload));
    const event = toCloudEvent(message);

    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
    expect(event.data).toEqual(payload);
  });
});
