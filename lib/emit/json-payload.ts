/**
 * Step: octets to text to value.
 *
 * @module
 */
import { step, type Step } from "../request/step";

/**
 * Creates the step that parses the body as JSON (RFC 8259) and puts the value on `request.body`. An empty body is refused
 * with `ERR_WEBHOOK_BODY_EMPTY`, octets that are not text in their charset with `ERR_WEBHOOK_TEXT`, text that is not JSON
 * with `ERR_WEBHOOK_JSON`, and JSON nested too deep, before it is parsed, with `ERR_WEBHOOK_JSON_DEPTH`: 400, all of them.
 */
export function jsonPayload(): Step {
  return step(async function jsonPayload(record) {
    const { payload } = (record.loaded ??= await record.load());
    (record.request as { body?: unknown }).body = payload;
  });
}
