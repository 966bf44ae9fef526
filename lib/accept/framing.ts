/**
 * Step: refuses requests whose bounds or target two readers could see differently, though Node's parser lets them pass.
 *
 * @module
 */
import { WebhookError } from "../errors";
import { cameTwice } from "../request/field-lines";
import { step, type Step } from "../request/step";

/**
 * Creates a gate on a request's framing. A transfer coding other than `chunked` alone is refused with
 * `ERR_WEBHOOK_TRANSFER_CODING` (501, RFC 9112 section 6.1), a second `Host` field line with `ERR_WEBHOOK_FIELD`
 * (400, RFC 9112 section 3.2).
 */
export function framing(): Step {
  return step(function framing({ request }) {
    const transferCoding = request.headers["transfer-encoding"];
    if (transferCoding !== undefined && transferCoding.toLowerCase() !== "chunked") {
      throw new WebhookError("ERR_WEBHOOK_TRANSFER_CODING", "The only transfer coding supported is chunked.");
    }
    if (cameTwice(request, "host")) {
      throw new WebhookError("ERR_WEBHOOK_FIELD", "The request has more than one Host field line.");
    }
  });
}
