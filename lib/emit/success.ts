/**
 * The answer to a delivery whose messages are confirmed.
 *
 * @module
 */
import type { Message } from "../message";
import type { Answer } from "../request/answer";
import type { DeliveryRecord } from "../request/delivery";
import { logError } from "../request/logger";
import { notPromised } from "../request/not-promised";
import { checkFunction, successStatus } from "../request/options";
import { answerOf, jsonContent } from "../request/source-answer";

export type SuccessOptions<Payload = unknown> = {
  /**
   * The status of a delivery that is confirmed, 200 to 299. Some senders take none but 200 for success.
   *
   * @defaultValue `200`, or as the source has it
   */
  readonly status?: number | undefined;
  /**
   * The content of the answer to a delivery that is confirmed: a value sent as JSON, or `undefined` for no content. Of a
   * delivery that was split it is given the first message.
   *
   * @defaultValue `(message) => ({ trackingId: message.trackingId })`
   */
  readonly respond?: ((message: Message<Payload>) => unknown) | undefined;
};

type SuccessAnswer = (record: DeliveryRecord, id: string, messages: readonly Message[]) => Answer;

export function successAnswer({ status, respond }: SuccessOptions): SuccessAnswer {
  if (status !== undefined) successStatus("status", status);
  if (respond !== undefined) checkFunction("respond", respond);

  return function answerTo({ source, surroundings }, id, [message]) {
    const wanted = source?.success
      ? answerOf({ body: { trackingId: id }, ...source.success, ...(status !== undefined && { status }) })
      : { status: status ?? 200, content: trackingIdContent(id) };
    if (!respond || !message) return wanted;
    // The message is safe, so the sender gets its 2xx, whatever becomes of the words.
    try {
      const told = message.previousTrackingIds ? message : withTrackingId(message, id);
      return { ...wanted, content: jsonContent(notPromised("respond", respond(told))) };
    } catch (error) {
      logError(surroundings.logger, `webhook ${surroundings.name}: respond has thrown`, error);
      return wanted;
    }
  };
}

/** Written by hand, for it is what most deliveries are answered with. */
function trackingIdContent(id: string): Answer["content"] {
  return { type: "application/json", text: `{"trackingId":${JSON.stringify(id)}}` };
}

/** The message as its first delivery was known by, if this one is a duplicate. */
function withTrackingId(message: Message, trackingId: string): Message {
  return message.trackingId === trackingId ? message : Object.freeze({ ...message, trackingId });
}
