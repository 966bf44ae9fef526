/**
 * Step: holds a request's media type against the node's message type, before an octet of the body is read.
 *
 * @module
 */
import { WebhookError } from "../errors";
import { checkOptions, eitherOf } from "../request/options";
import { printable } from "../request/outcome";
import { step, type Step } from "../request/step";
import { compileMessageType, type CompiledMessageType } from "./compile-message-type";
import type { MessageType } from "./message-type";

export type MessageTypeGateOptions = {
  /**
   * The type of the messages: a message type, or the name of one of the system's or of the tenant's library.
   *
   * @defaultValue `"echo.json"`, which is of all JSON
   */
  readonly messageType?: string | MessageType | CompiledMessageType | undefined;
  /**
   * What becomes of a request whose media type the message type does not cover: a line in the log (`"warn"`, once for each
   * media type), or `ERR_WEBHOOK_CONTENT_TYPE`: 415 (`"reject"`).
   *
   * @defaultValue `"warn"`
   */
  readonly mediaTypeMismatch?: "warn" | "reject" | undefined;
};

/** Media types that are told of: strangers can make up any number. */
const MAX_TOLD = 100;

/** Creates the gate. @throws TypeError at start, for a message type that is not known, or is not JSON. */
export function messageTypeGate(options: MessageTypeGateOptions = {}): Step {
  checkOptions("messageTypeGate", options);
  const { messageType = "echo.json", mediaTypeMismatch = "warn" } = options;
  const { name, covers } = compileMessageType(messageType);
  const isRejected = eitherOf("mediaTypeMismatch", mediaTypeMismatch, "warn", "reject") === "reject";
  const told = new Set<string | undefined>();

  return step(function messageTypeGate({ contentType, surroundings }) {
    const mediaType = contentType?.mediaType;
    if (covers(mediaType)) return;
    if (isRejected) {
      throw new WebhookError("ERR_WEBHOOK_CONTENT_TYPE", "The content type is not one of this node's messages.", {
        headers: { Accept: "application/json" },
        advice: `The message type ${name} does not cover ${mediaType}: set the content type at the sender, or choose another type.`,
      });
    }
    if (told.has(mediaType) || told.size >= MAX_TOLD) return;
    told.add(mediaType);
    surroundings.logger.warn(
      printable(
        `webhook ${surroundings.name}: the message type ${name} does not cover ${mediaType}; it is taken all the same.`,
      ),
    );
  });
}
