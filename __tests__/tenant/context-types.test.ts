/**
 * What the compiler knows of a context. `tsc` is what tests it; jest sees that the code runs.
 */
import {
  allOf,
  anyOf,
  AuthCredentials,
  createWebhookNode,
  hmacAuthenticator,
  requires,
  SimpleUser,
  type Authenticator,
  type AuthenticatorArguments,
  type Context,
  type Source,
  type WebhookNode,
} from "express-webhook-node";
import { github } from "express-webhook-node/sources/github";
import { createTenant, type Tenant } from "express-webhook-node/tenant/tenant";

type Equal<A, B> = (<T>(of: T) => T extends A ? 1 : 2) extends <T>(of: T) => T extends B ? 1 : 2 ? true : false;

/** Compiles if the value has the type and no other. */
const has =
  <Type>() =>
  <Value>(value: Value, ..._proof: Equal<Value, Type> extends true ? [] : [never]): Value =>
    value;

type Shop = {
  calls?: number;
  readonly table: Map<string, string>;
  readonly config: { readonly token: string };
};
type ShopContext = Context<Shop>;
type Keys = { keys?: readonly string[]; load(): void };
class Counter {
  calls = 0;
}

const pair = [new AuthCredentials(), new SimpleUser("shop")] as const;
const emitter = async (): Promise<void> => {};
const hmac = hmacAuthenticator({ header: "X-Signature", secrets: ["s"] });
const shop: Authenticator<Context<Shop>> = ({ context }) => {
  context.calls = (context.calls ?? 0) + 1;
  const known: string | undefined = context.table.get(context.config.token);
  return known === undefined ? null : pair;
};

// @ts-expect-error -- a check that let this pass would prove nothing
has<string>()(7);

describe("createWebhookNode", () => {
  it("learns the state from the authenticator [F4]", () => {
    const viaAlias: Authenticator<ShopContext> = shop;
    const viaArguments = ({ context: _ }: AuthenticatorArguments<ShopContext>): null => null;
    const viaShape = (_: { readonly context: ShopContext }): null => null;

    has<WebhookNode<Shop>>()(createWebhookNode({ authenticator: shop, emitter }));
    has<WebhookNode<Shop>>()(createWebhookNode({ authenticator: viaAlias, emitter }));
    has<WebhookNode<Shop>>()(createWebhookNode({ authenticator: viaArguments, emitter }));
    has<WebhookNode<Shop>>()(createWebhookNode({ authenticator: viaShape, emitter }));
    has<WebhookNode<Shop>>()(createWebhookNode({ authenticator: anyOf(shop, hmac), emitter }));
    has<WebhookNode<Shop>>()(createWebhookNode({ authenticator: allOf(shop, shop), emitter }));

    const keys: Authenticator<Context<Keys>> = () => null;
    const byClass: Authenticator<Context<Counter>> = () => null;
    has<WebhookNode<Keys>>()(createWebhookNode({ authenticator: keys, emitter }));
    has<WebhookNode<Counter>>()(createWebhookNode({ authenticator: byClass, emitter }));
  });

  it("learns the state from the checks beside a source, too [F4]", () => {
    const source = github<{ readonly id: number }>({ secrets: ["s"] });
    const checked: Source<{ readonly id: number }, ShopContext> = allOf(source, requires("push", shop));

    has<WebhookNode>()(createWebhookNode({ source, emitter }));
    has<WebhookNode>()(createWebhookNode({ source: allOf(source, hmac), emitter }));
    has<WebhookNode<Shop>>()(createWebhookNode({ source: checked, emitter }));
    has<WebhookNode<Shop>>()(createWebhookNode({ source: requires("push", checked), emitter }));
    has<WebhookNode<Shop>>()(
      createWebhookNode({
        source: allOf(github<{ readonly id: number }>({ secrets: ["s"] }), requires("push", shop), shop),
        emitter: async ({ payload }) => has<number>()(payload.id),
      }),
    );
    const set = createTenant({ table: new Set<string>() });
    // @ts-expect-error -- the table is a Set, and the check wants a Map
    createWebhookNode({ tenant: set, source: checked, emitter });
    // @ts-expect-error -- a source whose check wants a context is none for any context
    const anywhere: Source<{ readonly id: number }> = checked;
    expect(anywhere.name).toBe("github");
  });

  it("takes the state as a type argument, and types an inline authenticator by it [F4]", () => {
    const node = createWebhookNode<unknown, Shop>({
      authenticator: ({ context }) => {
        has<number | undefined>()(context.calls);
        // @ts-expect-error -- it is a number
        context.calls = "one";
        // @ts-expect-error -- there is no such attribute
        context.cals = 1;
        return null;
      },
      emitter,
    });
    has<WebhookNode<Shop>>()(node);
    node.context.calls = 2;
    expect(node.context.calls).toBe(2);
  });

  it("lets attributes of any name be set where nothing says which there are [F1]", () => {
    const node = createWebhookNode({
      authenticator: ({ context }) => {
        context["anything"] = 1;
        has<unknown>()(context["anything"]);
        return null;
      },
      emitter,
    });
    has<WebhookNode>()(node);
    // An authenticator that takes any context says nothing of the state.
    has<WebhookNode>()(createWebhookNode({ authenticator: hmac, emitter }));
    has<WebhookNode>()(createWebhookNode({ anonymous: "accept", emitter }));
    node.context["anything"] = 2;
    expect(node.context["anything"]).toBe(2);
  });

  it("refuses a tenant whose table is not the one that the state asks for [F2]", () => {
    const map = has<Tenant<Map<string, string>>>()(createTenant({ table: new Map([["token", "t"]]) }));
    const set = createTenant({ table: new Set<string>() });

    createWebhookNode({ tenant: map, authenticator: shop, emitter });
    createWebhookNode({ tenant: set, authenticator: hmac, emitter });
    // @ts-expect-error -- the table is a Set, and the authenticator wants a Map
    createWebhookNode({ tenant: set, authenticator: shop, emitter });
    expect(map.table?.get("token")).toBe("t");
  });
});

describe("Context", () => {
  it("has members that cannot be assigned [F2]", () => {
    const { context } = createWebhookNode<unknown, Shop>({ authenticator: shop, emitter });
    const assign = (): void => {
      // @ts-expect-error -- read only
      context.node = "mine";
      // @ts-expect-error -- read only
      context.logger = console;
      // @ts-expect-error -- read only
      context.config.token = "mine";
    };
    expect(assign).toThrow(TypeError);
  });

  it("types the lock by what the work returns [F3]", async () => {
    const { context } = createWebhookNode({ anonymous: "accept", emitter });
    expect(has<number>()(await context.withLock(() => 7))).toBe(7);
    expect(has<string>()(await context.withLock(async () => "in"))).toBe("in");
    await using _hold = await context.acquire();
    expect(context.locked()).toBe(true);
  });
});
