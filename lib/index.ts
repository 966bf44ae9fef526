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
  NamedAuthenticator,
  Source,
  SourceFor,
  WebhookRequest,
} from "./authenticate/authenticator";
export { AuthCredentials, BaseUser, SimpleUser, UnauthenticatedUser } from "./authenticate/credentials";
export { basicAuthenticator } from "./authenticate/basic";
export type { BasicAccount, BasicAuthenticatorOptions, BasicUser, BasicUsers } from "./authenticate/basic";
export { bearerAuthenticator } from "./authenticate/bearer";
export type { BearerAuthenticatorOptions, BearerToken, BearerTokens } from "./authenticate/bearer";
export { cachedSecrets } from "./authenticate/cached-secrets";
export type { CachedSecretsOptions } from "./authenticate/cached-secrets";
export type { DiagnoseOptions } from "./authenticate/diagnose";
export { hmacAuthenticator } from "./authenticate/hmac";
export type { HmacAuthenticatorOptions } from "./authenticate/hmac";
export type { Secrets } from "./authenticate/secrets";
export { HTTPException } from "./authenticate/http-exception";
export type { HttpExceptionOptions } from "./authenticate/http-exception";

export { hubSignatureAuthenticator } from "./authenticate/hub-signature";
export type { HubSignatureAuthenticatorOptions } from "./authenticate/hub-signature";
export { hashPassword, verifyPassword } from "./authenticate/password";
export type { HashPasswordOptions, VerifyPassword } from "./authenticate/password";
export { requires } from "./authenticate/requires";

export { emit } from "./emit";
export type { EmitOptions } from "./emit";
export { toCloudEvent } from "./emit/cloud-event";
export type { CloudEvent } from "./emit/cloud-event";
export { fromEventEmitter } from "./emit/event-emitter";
export { auditTrail } from "./emit/audit";
export type { AuditAttributes, Auditor, AuditRecord, AuditSink, AuditTrail, AuditTrailOptions } from "./emit/audit";
export { jsonLinesFile } from "./emit/json-lines";
export type { JsonLinesFile, JsonLinesFileOptions } from "./emit/json-lines";
export { jsonPayload } from "./emit/json-payload";
export { defineMessageType } from "./emit/message-type";
export type { MessageType } from "./emit/message-type";
export { messageTypeGate } from "./emit/message-type-gate";
export type { MessageTypeGateOptions } from "./emit/message-type-gate";
export { createMessageTypes } from "./emit/message-types";
export type { MessageTypeLibrary } from "./emit/message-types";
export { BusyError } from "./emit/busy-error";
export { memoryDeduplication } from "./emit/deduplicate/memory";
export type { Claim, DeduplicateOptions, DeduplicationStore } from "./emit/deduplicate";
export { fallback } from "./emit/fallback";
export { fanOut } from "./emit/fan-out";
export { route } from "./emit/route";
export { PermanentError } from "./emit/permanent-error";

export { compileSchema } from "./emit/schema";
export type { PayloadOf } from "./emit/payload-of";
export type { JsonSchema, SchemaIssue, StandardSchemaV1, Validation } from "./emit/schema";

export { WebhookError } from "./errors";
export type { ErrorDetail, WebhookErrorCode, WebhookErrorOptions } from "./errors";
export type { EmitContext, Emitter, Message, MessageSender, Provenance } from "./message";
export { problem } from "./problem";
export type { ErrorStep, ProblemOptions } from "./problem";
export type { QuarantinePort } from "./request/refused";
export type { RefusedDelivery } from "./request/refused-delivery";
export { begin } from "./request/begin";
export type { BeginOptions } from "./request/begin";
export type { Body } from "./request/body";
export type { ContentCoding } from "./request/content-coding";
export { delivery } from "./request/delivery";
export type { Delivery, Pair } from "./request/delivery";
export type { Logger } from "./request/logger";
export type { Outcome, OutcomeKind } from "./request/outcome";
export { keepRawBody } from "./request/read-before";
export type { DeliveryFacts, HandshakeFacts, SourceAccepts, SourceAnswer, SourceTraits } from "./request/source";
export type { Step } from "./request/step";
export { defineSource } from "./sources/define-source";
export type { SourceDefinition, SourceOptions, TimedSourceOptions, Verify } from "./sources/define-source";

export type { BulkData, BulkDataOptions, BulkEncoding, BulkFacts, BulkStore } from "./tenant/bulk-data";
export { folderBulkStore } from "./tenant/bulk-store";
export type { FolderBulkStoreOptions } from "./tenant/bulk-store";
export type { AnyState, Context, ContextMembers } from "./tenant/context";
export { createFunctionLibrary } from "./tenant/functions";
export type {
  FunctionEntry,
  FunctionLibrary,
  FunctionLibraryOptions,
  LibraryFunction,
  SystemConfig,
  WatchOptions,
} from "./tenant/functions";
export type { AcquireOptions, Lock, LockHold } from "./tenant/lock";
export type { LoggingLevel } from "./tenant/logger";
export { createTenant } from "./tenant/tenant";
export type { Tenant, TenantOptions } from "./tenant/tenant";
