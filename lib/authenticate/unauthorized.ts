/**
 * The refusal of a proof.
 *
 * @module
 */
import { HTTPException } from "./http-exception";

/** What to look for where a proof did not come. */
export const ADVICE_ON_ABSENCE =
  "Either the sender has no secret set, or something between it and the node drops the field.";

/** A missing or wrong proof. The sender learns which part of it; the advice is for the log of whoever runs the node. */
export function unauthorized(detail: string, advice?: string): HTTPException {
  return Object.assign(new HTTPException(401, { detail }), { advice });
}
