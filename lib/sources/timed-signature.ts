/**
 * Signatures in the form that Stripe has made known: a list of a time and of signatures, in one field.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Signed } from "../authenticate/signed";
import { checkTime, oneField, unauthorized, type TimeWindow } from "./facts";

const ELEMENT = /^([a-z][a-z0-9]*)=([0-9A-Za-z+/_-]+=*)$/;

/** Where a provider that has taken over Stripe's form differs from it. */
export type TimedSignatureForm = {
  /** 1000 where the time is in milliseconds. @defaultValue 1 */
  readonly perSecond?: number | undefined;
  /** @defaultValue `","` */
  readonly separator?: string | RegExp | undefined;
};

/**
 * Reads a field of Stripe's form, `t=time,v1=signature`, which others have taken over. What is signed is `time.body`.
 *
 * @throws HTTPException 401 for another form, for two times or none, and for a time outside the window.
 */
export function timedSignature(
  request: IncomingMessage,
  field: string,
  window: TimeWindow,
  { perSecond = 1, separator = "," }: TimedSignatureForm = {},
): Signed {
  const times: string[] = [];
  const signatures: string[] = [];
  for (const element of oneField(request, field).split(separator)) {
    const [, scheme, value] = ELEMENT.exec(element) ?? [];
    if (value === undefined) throw unauthorized(`${field} is not a list such as t=1,v1=a.`);
    if (scheme === "t") times.push(value);
    else if (scheme === "v1") signatures.push(value);
  }
  const [time, ...others] = times;
  if (time === undefined || others.length > 0) throw unauthorized(`${field} must have one time, t.`);
  checkTime(time, window, perSecond);
  return { signatures, before: `${time}.` };
}
