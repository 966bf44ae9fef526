/**
 * Step: answers what a source has authenticated and does not want emitted: a handshake, a ping, a filtered event.
 *
 * @module
 */
import { answer } from "../request/answer";
import { notPromised } from "../request/not-promised";
import type { DeliveryFacts, SourceTraits } from "../request/source";
import { answerOf } from "../request/source-answer";
import { step, type Step } from "../request/step";

/** Creates the step that lets the request's source answer by itself. Where it does not, and without a source, it goes on. */
export function reply(): Step {
  return step(async function reply(record) {
    const { source, request } = record;
    if (!source?.reply) return;
    const { payload, octets } = (record.loaded ??= await record.load());
    const facts = { request, payload, octets };
    const answered = notPromised("reply", source.reply(facts));
    if (!answered) return;
    // A handshake answered to a sender that is not verified would vouch to a stranger for this endpoint.
    const told = record.isUnverified ? { status: answered.status } : answered;
    const { status, ...rest } = answerOf({ ...source.success, ...told });
    record.end({ kind: "answered", status, ...toldOf(source, facts) });
    answer(record, { status, ...rest });
  });
}

/** What was answered, for whoever asks why it did not arrive. */
function toldOf(source: SourceTraits, facts: DeliveryFacts): { readonly eventType?: string } {
  const eventType = notPromised("eventType", source.eventType?.(facts));
  return eventType === undefined ? {} : { eventType };
}
