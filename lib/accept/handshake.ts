/**
 * Step: answers the handshake by which a provider asks, before it sends anything, whether deliveries are wanted here.
 *
 * @module
 */
import { answer } from "../request/answer";
import { notPromised } from "../request/not-promised";
import { checkOptions } from "../request/options";
import type { SourceTraits } from "../request/source";
import { answerOf } from "../request/source-answer";
import { step, type Step } from "../request/step";

export type HandshakeOptions = {
  /** The source whose handshake is answered. */
  readonly source?: SourceTraits | undefined;
};

/**
 * Creates the step that answers a source's handshake by GET, by OPTIONS, or by a POST without a body. It stands before the
 * gates, which let none of these in. A request that is no handshake goes on; without a source that has one, all do.
 */
export function handshake(options: HandshakeOptions = {}): Step {
  checkOptions("handshake", options);
  const { source } = options;

  return step(function handshake(record) {
    if (!source?.handshake) return;
    const { request } = record;
    const target = request.url ?? "";
    const query = new URLSearchParams(target.includes("?") ? target.slice(target.indexOf("?")) : "");
    const reply = notPromised("handshake", source.handshake({ request, query }));
    if (!reply) return;
    record.source = source;
    const answered = answerOf(reply);
    record.end({ kind: "answered", status: answered.status });
    answer(record, answered);
  });
}
