/**
 * An authenticator of your own, in TypeScript: one token for each customer, looked up once and remembered.
 *
 *     node examples/own-authenticator.ts     (Node 22.18 or later runs TypeScript as it is)
 */
import { timingSafeEqual, createHash } from "node:crypto";
import express, { type Express } from "express";
import {
  AuthCredentials,
  BaseUser,
  createWebhookNode,
  HTTPException,
  type Authenticator,
  type Emitter,
  type Logger,
} from "express-webhook-node";

/** What the app's database tells of a customer. */
export type Customer = { readonly name: string; readonly tokenHash: Buffer; readonly isSuspended: boolean };

class CustomerUser extends BaseUser {
  readonly customer: Customer;

  constructor(customer: Customer) {
    super();
    this.customer = customer;
  }

  // A suspended customer is known, and refused: 403.
  override get isAuthenticated(): boolean {
    return !this.customer.isSuspended;
  }

  override get displayName(): string {
    return this.customer.name;
  }
}

export function customerAuthenticator(find: (name: string) => Promise<Customer | undefined>): Authenticator {
  return async function customerAuthenticator({ request }) {
    const token = /^Bearer ([\w.~+/-]+=*)$/.exec(request.get("authorization") ?? "")?.[1];
    if (token === undefined) throw challenge("A bearer token is missing");
    const customer = await find(String(request.params["customer"]));
    const hash = createHash("sha256").update(token).digest();
    if (!customer || !timingSafeEqual(hash, customer.tokenHash)) throw challenge("The token is not known");
    return [new AuthCredentials(["push"]), new CustomerUser(customer)];
  };
}

function challenge(detail: string): HTTPException {
  return new HTTPException(401, { detail, headers: { "WWW-Authenticate": "Bearer" } });
}

export function createApp(options: {
  readonly find: (name: string) => Promise<Customer | undefined>;
  readonly emitter: Emitter;
  readonly logger?: Logger;
}): Express {
  const app = express();
  app.use(
    "/hooks/:customer",
    createWebhookNode({
      name: "customers",
      authenticator: customerAuthenticator(options.find),
      // One customer's messages keep their order.
      groupId: (message) => message.sender?.name,
      emitter: options.emitter,
      logger: options.logger,
    }),
  );
  return app;
}

if (require.main === module) {
  const tokenHash = createHash("sha256").update("secret").digest();
  const app = createApp({
    find: async (name) => (name === "acme" ? { name, tokenHash, isSuspended: false } : undefined),
    emitter: async (message) => console.log(message.groupId, message.payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/hooks/acme"));
}
