/**
 * For tests of apps that receive webhooks: signs and sends as the providers do. No test runner is needed, and none imported.
 *
 * @module
 */
export { deliver, send } from "./deliver";
export type { DeliverOptions, DeliveryAnswer, SendOptions, SignerName } from "./deliver";
export { githubExamples } from "./github-examples";
export type { GithubExample } from "./github-examples";
export { sign } from "./sign";
export type { SignedDelivery, SignOptions } from "./signed";
export { testCertificate } from "./test-certificate";
export type { TestCertificate } from "./test-certificate";
