/**
 * Payloads that GitHub publishes, for tests.
 *
 * @module
 */

/** An event as GitHub sends it. */
export type GithubExample = {
  /** The value of `X-GitHub-Event`. */
  readonly event: string;
  readonly payload: unknown;
};

type Definition = { readonly name: string; readonly examples: readonly unknown[] };

/**
 * The payloads that GitHub publishes as examples, of one event or of all. They are those of the package
 * `@octokit/webhooks-examples`, which has to be installed.
 *
 * @throws Error without that package, and TypeError for an event that it has no payloads of.
 *
 * @example
 * ```ts
 * for (const { event, payload } of githubExamples("issues")) {
 *   expect((await deliver(app, "github", payload, { secret, event })).status).toBe(200);
 * }
 * ```
 */
export function githubExamples(event?: string): readonly GithubExample[] {
  const definitions = load().filter(({ name }) => event === undefined || name === event);
  if (definitions.length === 0) throw new TypeError(`githubExamples: there are no payloads of the event ${event}.`);
  return definitions.flatMap(({ name, examples }) => examples.map((payload) => ({ event: name, payload })));
}

function load(): readonly Definition[] {
  try {
    return require("@octokit/webhooks-examples") as readonly Definition[];
  } catch (cause) {
    throw new Error("githubExamples: the payloads are in a package: npm install @octokit/webhooks-examples", { cause });
  }
}
