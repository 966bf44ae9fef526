/**
 * The steps of a node, one by one, for tests that look at what a node keeps to itself: how much is in flight.
 *
 * @module
 */
import { EventEmitter } from "node:events";
import {
  admission,
  authenticate,
  begin,
  contentTypeGate,
  decompress,
  emit,
  framing,
  jsonPayload,
  methodGate,
  problem,
  type Admission,
  type AdmissionOptions,
  type AuthenticateOptions,
  type BeginOptions,
  type DecompressOptions,
  type EmitOptions,
  type Message,
  type Outcome,
} from "express-webhook-node";
import { reply } from "express-webhook-node/emit/reply";
import { recordingLogger, serve, until, type Served } from "../support/serve";
import { collectGarbage } from "../support/collect";

export type PathOptions = BeginOptions &
  AdmissionOptions &
  DecompressOptions &
  AuthenticateOptions &
  Partial<EmitOptions>;

export type ServedPath = Served & {
  readonly admit: Admission;
  readonly messages: Message[];
  readonly outcomes: Outcome[];
  readonly lines: string[];
  /** Waits until so many requests have ended, and nothing of them is held any more. */
  readonly settled: (count: number) => Promise<void>;
};

/** Serves the steps of a node, in its order. `above` is mounted over them. */
export async function servePath(options: PathOptions = {}, above: readonly unknown[] = []): Promise<ServedPath> {
  const messages: Message[] = [];
  const outcomes: Outcome[] = [];
  const lines: string[] = [];
  const events = new EventEmitter();
  events.on("outcome", (outcome: Outcome) => outcomes.push(outcome));
  const isSecured = options.authenticator !== undefined || options.source !== undefined;
  const all: PathOptions & EmitOptions = {
    ...(!isSecured && { anonymous: "accept" as const }),
    logger: recordingLogger(lines),
    emitter: async (message) => {
      messages.push(message);
    },
    ...options,
  };
  const admit = admission(all);
  const served = await serve(
    ...above,
    begin({ ...all, events }),
    methodGate(),
    framing(),
    contentTypeGate(),
    decompress(all),
    admit,
    authenticate(all),
    jsonPayload(),
    reply(),
    emit(all),
    problem(),
  );
  const settled = async (count: number): Promise<void> => {
    await until(() => outcomes.length >= count && admit.inFlight === 0);
    expect(outcomes).toHaveLength(count);
    // What an emitter that can never settle holds is let go with its promise. A collection takes half a second where others
    // use the machine, and some take two.
    await until(() => {
      if (admit.inFlightBytes > 0) collectGarbage();
      return admit.inFlightBytes === 0;
    }, 5_000);
  };
  return { ...served, admit, messages, outcomes, lines, settled };
}
