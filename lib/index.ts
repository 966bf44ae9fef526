/**
 * Receive webhooks in Express: accept a request, authenticate its sender, emit its body as a message.
 *
 * @module
 */
export { createWebhookNode } from "./webhook-node";
export type { WebhookNode, WebhookNodeEvents, WebhookNodeOptions } from "./webhook-node";

export { admission } from "./accept/admission";
export type { Admission, AdmissionOptions, Drained } from "./accept/admission";
export { contentTypeGate } from "./accept/content-type-gate";
export type { ContentTypeGateOptions } from "./accept/content-type-gate";
export { decompress } from "./accept/decompress";
export type { DecompressOptions } from "./accept/decompress";
export { framing } from "./accept/framing";
export { methodGate } from "./accept/method-gate";
export type { MethodGateOptions } from "./accept/method-gate";

export { authenticate } from "./authenticate";
export type { Authenticated, AuthenticateOptions } from "./authenticate";
export { allOf } from "./authenticate/all-of";
export { anyOf } from "./authenticate/any-of";
export type {
  Authenticator,
  AuthenticatorArguments,
  AuthenticatorResult,
  Source,
  WebhookRequest,
} from "./authenticate/authenticator";
export { AuthCredentials, BaseUser, SimpleUser, UnauthenticatedUser } from "./authenticate/credentials";
export { hmacAuthenticator } from "./authenticate/hmac";
export type { HmacAuthenticatorOptions, Secrets } from "./authenticate/hmac";
export { HTTPException } from "./authenticate/http-exception";
export type { HttpExceptionOptions } from "./authenticate/http-exception";

export { emit } from "./emit";
export type { EmitOptions } from "./emit";
export { toCloudEvent } from "./emit/cloud-event";
export type { CloudEvent } from "./emit/cloud-event";
export { fromEventEmitter } from "./emit/event-emitter";
export { jsonPayload } from "./emit/json-payload";
export { PermanentError } from "./emit/permanent-error";

export { WebhookError } from "./errors";
export type { WebhookErrorCode, WebhookErrorOptions } from "./errors";
export type { EmitContext, Emitter, Message, MessageSender, Provenance } from "./message";
export { problem } from "./problem";
export type { ErrorStep } from "./problem";
export { begin } from "./request/begin";
export type { BeginOptions } from "./request/begin";
export type { Body } from "./request/body";
export type { ContentCoding } from "./request/content-coding";
export { delivery } from "./request/delivery";
export type { Delivery, Pair } from "./request/delivery";
export type { Logger } from "./request/logger";
export type { Outcome, OutcomeKind } from "./request/outcome";
export { keepRawBody } from "./request/read-before";
export type { DeliveryFacts, SourceAnswer, SourceTraits } from "./request/source";
export type { Step } from "./request/step";
export type { Context } from "./tenant/context";
