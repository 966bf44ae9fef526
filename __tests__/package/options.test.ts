/**
 * The words of options, held equal to the types.
 */
import type { AuthenticateOptions, BeginOptions, WebhookNodeOptions } from "express-webhook-node";
import { OPTION_WORDS } from "express-webhook-node/request/options";
import { CONTEXT_WORDS } from "express-webhook-node/tenant/context";

/** Whether two types are the same, in both directions. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

type StepWord = (typeof OPTION_WORDS)[number];
type ContextWord = (typeof CONTEXT_WORDS)[number];
/** The node makes these two itself. */
type Made = "context" | "events";

describe("the words of options", () => {
  it("are those of the types of a node's options, no more and no fewer", () => {
    const same: Same<Exclude<StepWord | ContextWord, Made>, keyof WebhookNodeOptions> = true;
    const made: Same<Extract<StepWord, Made>, Made> = true;
    const context: Same<Extract<keyof AuthenticateOptions, Made>, "context"> = true;

    expect([same, made, context]).toEqual([true, true, true]);
  });

  it("are none but of the node's that authenticate and begin take", () => {
    const authenticate: Same<
      Exclude<keyof AuthenticateOptions, "context">,
      Extract<keyof AuthenticateOptions, keyof WebhookNodeOptions>
    > = true;
    const begin: Same<keyof BeginOptions, Extract<keyof BeginOptions, keyof WebhookNodeOptions>> = true;

    expect([authenticate, begin]).toEqual([true, true]);
  });

  it("are each named once", () => {
    const steps: readonly string[] = OPTION_WORDS;

    expect(new Set(steps).size).toBe(steps.length);
    expect(new Set(CONTEXT_WORDS).size).toBe(CONTEXT_WORDS.length);
  });
});
