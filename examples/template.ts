/**
 * The template that the hosted product's page gives for an authenticator, in TypeScript.
 *
 *     def authenticator(*, context, request, **kwargs):
 *         # TODO - Perform authentication using the context and request here
 *         return AuthCredentials(), SimpleUser("foobar")
 *
 * The arguments are named here too, so that more can be added without breaking it; and a package that it needs is required
 * where it is used, and named in `requirements`, so that its lack is told when the server starts.
 */
import express, { type Express } from "express";
import {
  AuthCredentials,
  createWebhookNode,
  HTTPException,
  SimpleUser,
  type Authenticator,
  type Context,
  type Emitter,
  type Logger,
} from "express-webhook-node";

/** What the function keeps on the context from call to call. */
type State = { partners?: ReadonlyMap<string, string> };

const authenticator: Authenticator<Context<State>> = async ({ context, request, signal }) => {
  // Once for all calls, however many come at the same time.
  await context.withLock(
    () => {
      context.partners ??= new Map(Object.entries(context.config["partners"] as Record<string, string>));
    },
    { signal },
  );
  const name = request.get("x-partner") ?? "";
  // Nothing is known of this sender: the node refuses it with 403, unless it says anonymous: "accept".
  if (!context.partners?.has(name)) return null;
  if (request.get("x-token") !== context.partners.get(name)) throw new HTTPException(401, { detail: "Wrong token" });
  return [new AuthCredentials(), new SimpleUser(name)];
};

export function createApp(options: { readonly emitter: Emitter; readonly logger?: Logger }): Express {
  const app = express();
  app.use(
    "/",
    createWebhookNode({
      name: "template",
      config: { partners: { foobar: "secret" } },
      authenticator,
      requirements: ["express@>=4.21"],
      messageType: "echo.json",
      ...options,
    }),
  );
  return app;
}

if (require.main === module) {
  const app = createApp({ emitter: async (message) => console.log(message.sender?.name, message.payload) });
  app.listen(3000, () => console.log("http://localhost:3000/"));
}
