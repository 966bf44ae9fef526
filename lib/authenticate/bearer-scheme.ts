/**
 * The Bearer scheme (RFC 6750): how a token is sent, and what a sender is told who has none or a wrong one.
 *
 * @module
 */
import { cameTwice } from "../request/field-lines";
import type { WebhookRequest } from "./authenticator";
import { challenge, checkRealm } from "./challenge";
import { HTTPException } from "./http-exception";

// RFC 6750 section 2.1, the scheme in any case (RFC 9110 section 11.1).
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

export type BearerScheme = {
  /** The token of a request. @throws HTTPException 401 without one, 400 for one sent in another way than once in its field. */
  readonly tokenOf: (request: WebhookRequest) => string;
  /** The refusal of a token that is wrong: 401 `invalid_token`. */
  readonly invalid: (why: string) => HTTPException;
};

/** Makes the scheme for a realm. RFC 6750 section 3. @throws TypeError at start. */
export function bearerScheme(realm: string): BearerScheme {
  checkRealm(realm);
  const refusal = (status: number, detail: string, parameters: Readonly<Record<string, string>>): HTTPException => {
    return new HTTPException(status, {
      detail,
      headers: { "WWW-Authenticate": challenge("Bearer", { realm, ...parameters }) },
    });
  };
  const failed = (status: number, error: string, why: string): HTTPException => {
    return refusal(status, why, { error, error_description: why });
  };

  return {
    tokenOf(request) {
      if (isInQuery(request)) {
        throw failed(400, "invalid_request", "The token must not be sent in the query, which is logged on its way.");
      }
      const field = request.headers.authorization;
      // Who sends nothing, or another scheme, may not know yet: no error is told.
      if (field === undefined || !/^bearer(?: |$)/i.test(field)) {
        throw refusal(401, "A token is missing (Authorization: Bearer).", {});
      }
      const token = cameTwice(request, "authorization") ? undefined : BEARER.exec(field)?.[1];
      if (token === undefined) throw failed(400, "invalid_request", "Authorization must hold one token.");
      return token;
    },
    invalid: (why) => failed(401, "invalid_token", why),
  };
}

/** Whether a text can be sent as a token. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

// RFC 6750 section 2.3, and why not: section 5.3.
function isInQuery({ url = "" }: WebhookRequest): boolean {
  const at = url.indexOf("?");
  return at !== -1 && new URLSearchParams(url.slice(at)).has("access_token");
}
