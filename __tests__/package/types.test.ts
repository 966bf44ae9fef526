/**
 * What the types let through and what they refuse. The compiler is the judge: this file is checked with the rest.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import express, { type RequestHandler } from "express";
import {
  allOf,
  anyOf,
  AuthCredentials,
  authenticate,
  BaseUser,
  createWebhookNode,
  decompress,
  delivery,
  emit,
  fromEventEmitter,
  hmacAuthenticator,
  HTTPException,
  jsonPayload,
  methodGate,
  problem,
  SimpleUser,
  toCloudEvent,
  WebhookError,
  type Authenticator,
  type CloudEvent,
  type Delivery,
  type Emitter,
  type Message,
  type Outcome,
  type OutcomeKind,
  type Secrets,
  type Source,
  type Step,
  type WebhookErrorCode,
  type WebhookNode,
  type WebhookNodeOptions,
} from "express-webhook-node";

type IsAny<T> = 0 extends 1 & T ? true : false;
/** Whether two types are the same, in both directions; `any` is the same as nothing else. */
type Same<A, B> = IsAny<A> extends IsAny<B> ? ([A] extends [B] ? ([B] extends [A] ? true : false) : false) : false;

/** Never called: what is in it is for the compiler alone. */
function onlyCompiled(..._cases: readonly (() => unknown)[]): void {}

type Order = { readonly id: string; readonly total: number };
const pair = (): [AuthCredentials, SimpleUser] => [new AuthCredentials(), new SimpleUser("a")];
const source = {} as Source<Order>;
const emitter: Emitter = async () => {};
const anyone = { anonymous: "accept" } as const;

describe("types", () => {
  it("of a payload begin at unknown, and are earned from a source", () => {
    const unknownByDefault: Same<Message["payload"], unknown> = true;
    const unknownInEmitter: Same<Parameters<Emitter>[0]["payload"], unknown> = true;
    const ofDelivery: Same<Delivery<Order>["message"], Message<Order> | undefined> = true;
    const ofCloudEvent: Same<CloudEvent<Order>["data"], Order> = true;
    expect([unknownByDefault, unknownInEmitter, ofDelivery, ofCloudEvent]).toEqual([true, true, true, true]);

    onlyCompiled(
      () =>
        createWebhookNode({
          source,
          emitter: async (message) => {
            const total: number = message.payload.total;
            const same: Same<typeof message.payload, Order> = true;
            // @ts-expect-error -- an order has no such member
            return [total, same, message.payload.price];
          },
          deadLetter: async ({ payload }) => payload.id,
          respond: ({ payload }) => payload.id.length,
          groupId: ({ payload }) => payload.id,
        }),
      () =>
        createWebhookNode({
          ...anyone,
          emitter: async (message) => {
            const same: Same<typeof message.payload, unknown> = true;
            // @ts-expect-error -- unknown has no members
            return [same, message.payload.total];
          },
        }),
      () => toCloudEvent({} as Message<Order>).data.total,
      () => delivery<Order>({} as IncomingMessage).message?.payload.total,
      () =>
        createWebhookNode({
          // @ts-expect-error -- an emitter of orders cannot take what another source sends
          source: {} as Source<{ readonly user: string }>,
          emitter: async (message: Message<Order>) => message,
        }),
    );
  });

  it("of a source hold its functions to the event", () => {
    onlyCompiled(
      (): Source<Order> => ({
        name: "shop",
        authenticator: pair,
        deliveryId: ({ payload }) => payload.id,
        // @ts-expect-error -- a number is no event type
        eventType: ({ payload }) => payload.total,
      }),
      // @ts-expect-error -- a source has a name
      (): Source => ({ authenticator: pair }),
      // @ts-expect-error -- and an authenticator
      (): Source => ({ name: "shop" }),
      (): Source<Order> => allOf(source, pair),
      (): Authenticator => allOf(pair, () => null),
      (): Authenticator => allOf(() => [new AuthCredentials(), new SimpleUser("a")]),
      (): Authenticator => anyOf(pair, async () => pair()),
      // @ts-expect-error -- a source is no authenticator
      () => anyOf(source),
    );
  });

  it("of a node ask for an emitter, and know each option", () => {
    onlyCompiled(
      // @ts-expect-error -- nothing takes the messages
      () => createWebhookNode({ ...anyone }),
      // @ts-expect-error -- an emitter returns a promise: is an await or async missing?
      () => createWebhookNode({ ...anyone, emitter: () => {} }),
      // @ts-expect-error -- so does a dead letter's
      () => createWebhookNode({ ...anyone, emitter, deadLetter: () => "sent" }),
      // @ts-expect-error -- there is no such option
      () => createWebhookNode({ ...anyone, emitter, maxByte: 1 }),
      // @ts-expect-error -- a number of bytes
      () => createWebhookNode({ ...anyone, emitter, maxBytes: "1mb" }),
      // @ts-expect-error -- one of two words
      () => createWebhookNode({ emitter, anonymous: true }),
      // @ts-expect-error -- the node makes its own
      () => createWebhookNode({ ...anyone, emitter, context: {} }),
      // @ts-expect-error -- a coding that there is
      () => createWebhookNode({ ...anyone, emitter, codings: ["compress"] }),
      // @ts-expect-error -- a logger has four methods
      () => createWebhookNode({ ...anyone, emitter, logger: { info() {} } }),
      () =>
        createWebhookNode({
          ...anyone,
          emitter,
          name: undefined,
          logger: undefined,
          maxBytes: undefined,
          source: undefined,
        }),
      () =>
        createWebhookNode({
          ...anyone,
          emitter,
          logger: console,
          codings: ["gzip"] as const,
          methods: Object.freeze(["PUT"]),
        }),
    );
    expect(() => createWebhookNode({ ...anyone, emitter: (() => {}) as unknown as Emitter })).not.toThrow();
  });

  it("of an authenticator hold what it returns to null and a pair", () => {
    onlyCompiled(
      (): Authenticator => () => null,
      (): Authenticator => async () => null,
      (): Authenticator => pair,
      (): Authenticator => async () => pair(),
      (): Authenticator => () => [{ scopes: ["a"] }, { isAuthenticated: true }],
      // @ts-expect-error -- undefined is broken
      (): Authenticator => () => undefined,
      // @ts-expect-error -- nothing is broken
      (): Authenticator => async () => {},
      // @ts-expect-error -- a boolean is broken
      (): Authenticator => () => true,
      // @ts-expect-error -- isAuthenticated is a boolean
      (): Authenticator => () => [new AuthCredentials(), { isAuthenticated: "true" }],
      // @ts-expect-error -- credentials come first
      (): Authenticator => () => [new SimpleUser("a"), new AuthCredentials()],
      (): Authenticator =>
        ({ context, request, body, signal }) => {
          const same: Same<typeof context, unknown> = true;
          const token: string | undefined = request.get("x-token");
          const octets: Promise<Buffer> = body.bytes();
          const isAborted: boolean = signal.aborted;
          void [same, token, octets, isAborted, request.params["tenant"], request.originalUrl, request.ip];
          return null;
        },
    );
  });

  it("of users ask for what tells whether one is authenticated", () => {
    class Complete extends BaseUser {
      override get isAuthenticated(): boolean {
        return true;
      }

      override get displayName(): string {
        return "a";
      }
    }
    // @ts-expect-error -- displayName is missing
    class Incomplete extends BaseUser {
      override get isAuthenticated(): boolean {
        return true;
      }
    }
    onlyCompiled(
      // @ts-expect-error -- BaseUser itself is nobody
      () => new BaseUser(),
      // @ts-expect-error -- scopes are a list
      () => new AuthCredentials("push"),
      (): Authenticator => () => [new AuthCredentials(), new Complete()],
      () => new Incomplete(),
    );
    expect(new Complete().identity).toBe("a");
  });

  it("of hmacAuthenticator take secrets as environments give them", () => {
    onlyCompiled(
      () => hmacAuthenticator({ header: "X-A", secrets: [process.env["A_SECRET"]] }),
      () => hmacAuthenticator({ header: "X-A", secrets: async ({ params }) => [String(params["tenant"])] }),
      (): Secrets => () => [],
      // @ts-expect-error -- one text is no list
      () => hmacAuthenticator({ header: "X-A", secrets: "a" }),
      // @ts-expect-error -- secrets are asked for
      () => hmacAuthenticator({ header: "X-A" }),
      // @ts-expect-error -- a hash function that there is
      () => hmacAuthenticator({ header: "X-A", secrets: ["a"], algorithm: "md5" }),
      // @ts-expect-error -- there is no such option
      () => hmacAuthenticator({ header: "X-A", secret: "a" }),
    );
  });

  it("of steps fit Express and node:http", () => {
    const step: Step = jsonPayload();
    const handler: RequestHandler = step;
    const bare: (request: IncomingMessage, response: ServerResponse, next: () => void) => void = step;
    const node: WebhookNode = createWebhookNode({ ...anyone, emitter });
    const mounted: RequestHandler = node;
    onlyCompiled(
      () => express().use("/a", node),
      () =>
        express().post(
          "/a",
          methodGate(),
          decompress(),
          authenticate(anyone),
          jsonPayload(),
          emit({ emitter }),
          problem(),
        ),
      () => node.events.on("outcome", (outcome) => outcome.kind satisfies OutcomeKind),
      // @ts-expect-error -- a node has no such event
      () => node.events.on("outcomes", () => {}),
      async () => (await node.drain({ timeoutMs: 5 })).unanswered satisfies number,
    );
    expect([typeof handler, typeof bare, typeof mounted]).toEqual(["function", "function", "function"]);
  });

  it("of a message cannot be written to", () => {
    onlyCompiled(
      (message = {} as Message<Order>) => {
        // @ts-expect-error -- it is frozen
        message.payload = { id: "", total: 0 };
      },
      (message = {} as Message) => {
        // @ts-expect-error -- and so are its fields
        message.fields["x"] = "1";
      },
      (message = {} as Message) => {
        const group: string | undefined = message.groupId;
        const field: string | undefined = message.fields["traceparent"];
        return [group, field];
      },
    );
    expect.hasAssertions();
    expect(true).toBe(true);
  });

  it("of errors know the codes", () => {
    const code: WebhookErrorCode = "ERR_WEBHOOK_EMIT";
    onlyCompiled(
      () => new WebhookError(code, "a"),
      // @ts-expect-error -- there is no such code
      () => new WebhookError("ERR_WEBHOOK_NO_SUCH", "a"),
      () => new HTTPException(401, { detail: { any: "value" }, headers: { "X-A": "b" } }),
      // @ts-expect-error -- a status is a number
      () => new HTTPException("401"),
      (outcome = {} as Outcome) => outcome.durations?.["emit"] satisfies number | undefined,
    );
    expect(code).toBe("ERR_WEBHOOK_EMIT");
  });

  it("of fromEventEmitter ask for the one method that is called", () => {
    onlyCompiled(
      (): Emitter<Order> => fromEventEmitter<Order>({ rawListeners: () => [] }, "message"),
      // @ts-expect-error -- an EventTarget has none
      () => fromEventEmitter(new EventTarget(), "message"),
    );
    expect(typeof fromEventEmitter({ rawListeners: () => [] }, Symbol("a"))).toBe("function");
  });

  it("of options are open to what an app joins", () => {
    const base: Pick<WebhookNodeOptions, "logger" | "deadlineMs"> = { deadlineMs: 1000 };
    expect(() => createWebhookNode({ ...base, ...anyone, emitter })).not.toThrow();
  });
});
