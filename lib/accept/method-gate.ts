/**
 * Step: lets through the methods that a webhook is delivered by, and answers 405 to the rest.
 *
 * @module
 */
import { WebhookError } from "../errors";
import { checkOptions, shown } from "../request/options";
import { step, type Step } from "../request/step";

export type MethodGateOptions = {
  /**
   * Methods let through, in upper case. RFC 9110 section 9.1.
   *
   * @defaultValue `["POST"]`
   */
  readonly methods?: readonly string[] | undefined;
};

// RFC 9110 section 5.6.2; methods are case-sensitive (section 9.1), and all registered ones are upper case.
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Z]+$/;

/**
 * Creates a gate on the request method. Another method is refused with `ERR_WEBHOOK_METHOD`: 405 with `Allow`.
 *
 * @throws TypeError at start, for a list that is empty or holds what is no method.
 */
export function methodGate(options: MethodGateOptions = {}): Step {
  checkOptions("methodGate", options);
  const { methods = ["POST"] } = options;
  if (!Array.isArray(methods) || methods.length === 0) {
    throw new TypeError("methods: it must be a list of at least one method, or no request could pass.");
  }
  for (const method of methods as readonly unknown[]) {
    if (typeof method === "string" && METHOD.test(method)) continue;
    throw new TypeError(`methods: ${shown(method)} is not a method in upper case, such as "POST".`);
  }
  const allowed: ReadonlySet<string | undefined> = new Set(methods);
  const headers = { Allow: methods.join(", ") };

  return step(function methodGate({ request }) {
    if (allowed.has(request.method)) return;
    throw new WebhookError("ERR_WEBHOOK_METHOD", `This resource takes ${headers.Allow} alone.`, { headers });
  });
}
