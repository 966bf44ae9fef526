/**
 * Signs as each provider does.
 *
 * @module
 */
import { signAwsSns } from "./aws-sns";
import { signCalCom } from "./cal-com";
import { signCalendly } from "./calendly";
import { signClerk } from "./clerk";
import { signCloudEvents } from "./cloudevents";
import { signDiscord } from "./discord";
import { signDropbox } from "./dropbox";
import { signEventGrid } from "./event-grid";
import { signGithub } from "./github";
import { signGitlab } from "./gitlab";
import { signHttpSignatures } from "./http-signatures";
import { signHubspot } from "./hubspot";
import { signLemonSqueezy } from "./lemon-squeezy";
import { signLinear } from "./linear";
import { signMailgun } from "./mailgun";
import { signMeta } from "./meta";
import { signMicrosoftGraph } from "./microsoft-graph";
import { signOpenai } from "./openai";
import { signPaddle } from "./paddle";
import { signPaypal } from "./paypal";
import { signPolar } from "./polar";
import { signRazorpay } from "./razorpay";
import { signReplicate } from "./replicate";
import { signResend } from "./resend";
import { signSanity } from "./sanity";
import { signSendgrid } from "./sendgrid";
import { signSentry } from "./sentry";
import { signShopify } from "./shopify";
import { signSlack } from "./slack";
import { signSquare } from "./square";
import { signStandardWebhooks } from "./standard-webhooks";
import { signStripe } from "./stripe";
import { signTwilio } from "./twilio";
import { signTypeform } from "./typeform";
import { signVercel } from "./vercel";
import { signWoocommerce } from "./woocommerce";
import { signWorkos } from "./workos";
import { signXero } from "./xero";
import { signZoom } from "./zoom";

/**
 * A signer for each source, by the source's own name: `sign.github(payload, { secret })` makes the header fields and the
 * octets of a delivery as the provider would send it. Times are told by `now`, so that a fake clock may stand.
 */
export const sign = {
  awsSns: signAwsSns,
  calCom: signCalCom,
  calendly: signCalendly,
  clerk: signClerk,
  cloudEvents: signCloudEvents,
  discord: signDiscord,
  dropbox: signDropbox,
  eventGrid: signEventGrid,
  github: signGithub,
  gitlab: signGitlab,
  httpSignatures: signHttpSignatures,
  hubspot: signHubspot,
  lemonSqueezy: signLemonSqueezy,
  linear: signLinear,
  mailgun: signMailgun,
  meta: signMeta,
  microsoftGraph: signMicrosoftGraph,
  openai: signOpenai,
  paddle: signPaddle,
  paypal: signPaypal,
  polar: signPolar,
  razorpay: signRazorpay,
  replicate: signReplicate,
  resend: signResend,
  sanity: signSanity,
  sendgrid: signSendgrid,
  sentry: signSentry,
  shopify: signShopify,
  slack: signSlack,
  square: signSquare,
  standardWebhooks: signStandardWebhooks,
  stripe: signStripe,
  twilio: signTwilio,
  typeform: signTypeform,
  vercel: signVercel,
  woocommerce: signWoocommerce,
  workos: signWorkos,
  xero: signXero,
  zoom: signZoom,
} as const;
