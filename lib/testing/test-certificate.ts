/**
 * A certificate for tests, with its private key: in the place of those that Amazon SNS and PayPal sign by.
 *
 * @module
 */
import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";

export type TestCertificate = {
  readonly privateKey: KeyObject;
  /** In PEM. */
  readonly certificate: string;
  /** Finds the certificate at any URL, and asks nobody. A subscription of SNS is confirmed by it, too. */
  readonly fetch: (url: string) => Promise<Response>;
};

/** PKCS #8 (RFC 5958): an RSA key of 2048 bits, which is no secret. */
const PRIVATE_KEY = `
  MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCr0Ys+Cj1wKtOx1gnDWNdNkEAG2bxNN7vA+3u4WQNLYPpe1m2OaZVzDq3TO3
  AG6XcRTVgYuaCgnGmG6vNT9PvZgZdDGxeGYVImzDdXs2r81pvOMJRnAoXtY7OfIu2hZIIITT2fb+dShB3QEv4DyvER26M7FK6DbWXbZS/Xnfmv
  HM1M+hN1Och0Unc73V/If/iRXiUKg3jQowQe9mSlgPCd7exeD2vGzJ2We146emcHJofapskThz08yDi8gjnHm98ZGAZeKWQu5BS5Hp0HdHvTlb
  ma37rQKzmgeAdgQpnqeFD/kKpjCt3BWyEDixu/KrrD8szLdrrrsuaq7UXDO9zdAgMBAAECggEAFApQz1+qYtbb8jYg1WQbWLSmgyYKTIdfotay
  S4I2XChni4A/LwkpoU3pAGZCXswEU0ROLjQYhCM6O75Tu0srxObUmcMjL01So6vWGKiYpfzyF06bQJiOvm2OmdUdGmH6uLUpptsKhBlc0NQmRJ
  L7IzYXB+EVqcasxrY6qk+Gu+HTMn4sEPnyyS0CQij3LJ8gAiOG9djVqMOE5bPWjVo9GjhBq5AlAF28c2ZhS9EpmulEmlNDwnV0j74gscswLcJA
  CeVdH0DtZ+nEK1fRux9u/wFIxbMTHg6jXaNOaVwTvLwH7hDMM0FUHLOcd0cGE2dWtHBbmOlz80EyT+IrATC/EQKBgQDUoDF3i14ZHQxqoXCUCJ
  KDcLTa83dpJcLtbEWnEear7AhKIKaYZfwv34mIVMSzwE0QNQzVTIjjxqsz5AnKPFmg79cT500JTMJqaR9URWyQIOpC7fhOO+E/104iW+SN+pJ8
  FBCvxT3Z0XKadrMbGIai7uIxPgZDTV/WFz1EaTHCWwKBgQDO3k2uS3LNHBHSwoFhmWdXWInn2bMgoIVXXEK/8rBKLAYwpZIRHgKAsvcJZhimaf
  wt+1dNvdfvdTgyzAQXXaFt2LItYvdCVxuAE9lWUs3YMR6tf+XsVyTSH79Cf+4m+FhYquf9shycDJXVFrT+StSENuNT1zeBPW6bufv/obeTJwKB
  gDeQHR0mOFLLuoDq6yZkDxV2EGzfDqdVjNjKYHFGRkdLCOeGHMLac8p22dPcgwKOEBVaJ55dv6/2LKsEvmIw3yMlSckTupfhjTSNf/hfo/0N/O
  m8khSvpS8vrmVgKhvIDRuLisjD/GO9Tft7ZVaBVD2ju0wu7ygLQi4KKKKF8tDdAoGBAJ5O/zF36aXPalBYqzxuceglCHwWXH+GeCRvpWFRLtnE
  MQR/YHWa+p1U17oomIqZpvPlWV1T//DvSo+NE0ByVbxDTa9wAfqRwKjWB8eI3KAqjuiFbQXddn8a7nnMfwrxmGJaf+jkqgI9m1gT5XSI/XMksf
  kSRRaxVXj07kUlk9+XAoGBAJWsj42feqVBYV+Gu4FvEHWKjwxGAoVF1Lmyw6IgtE6BaCtahNB01++K6a2T9sbjzE28YAbXoox+aBL7/h8WomQ1
  J+ES7cx3XtzBXZCO1kVZ9H8/83tBhrkQGhhNfmDl6fXzFW0SWZZhOJAhVgUiNse3MfO6Me/lSlsP+WwTRlTu
`;

/** X.509 (RFC 5280): self-signed, valid from 1970 to 9999, by both names that the sources look for. */
const CERTIFICATE = `
  MIIDhzCCAm+gAwIBAgIUK4RqZ34KEMFIiLUn+BKRe/u2SAUwDQYJKoZIhvcNAQELBQAwZDEYMBYGA1UECgwPRm9yIHRlc3RzIGFsb25lMRowGA
  YDVQQDDBFzbnMuYW1hem9uYXdzLmNvbTEsMCoGA1UEAwwjbWVzc2FnZXZlcmlmaWNhdGlvbmNlcnRzLnBheXBhbC5jb20wIBcNNzAwMTAxMDAw
  MDAwWhgPOTk5OTEyMzEyMzU5NTlaMGQxGDAWBgNVBAoMD0ZvciB0ZXN0cyBhbG9uZTEaMBgGA1UEAwwRc25zLmFtYXpvbmF3cy5jb20xLDAqBg
  NVBAMMI21lc3NhZ2V2ZXJpZmljYXRpb25jZXJ0cy5wYXlwYWwuY29tMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAq9GLPgo9cCrT
  sdYJw1jXTZBABtm8TTe7wPt7uFkDS2D6XtZtjmmVcw6t0ztwBul3EU1YGLmgoJxphurzU/T72YGXQxsXhmFSJsw3V7Nq/NabzjCUZwKF7WOzny
  LtoWSCCE09n2/nUoQd0BL+A8rxEdujOxSug21l22Uv1535rxzNTPoTdTnIdFJ3O91fyH/4kV4lCoN40KMEHvZkpYDwne3sXg9rxsydlnteOnpn
  ByaH2qbJE4c9PMg4vII5x5vfGRgGXilkLuQUuR6dB3R705W5mt+60Cs5oHgHYEKZ6nhQ/5CqYwrdwVshA4sbvyq6w/LMy3a667Lmqu1Fwzvc3Q
  IDAQABoy8wLTAMBgNVHRMBAf8EAjAAMB0GA1UdDgQWBBRPJNrimYninQ4jpkyvF2kN21+LKjANBgkqhkiG9w0BAQsFAAOCAQEASWPqDk70nwj0
  0fXH7Q/ElBbc5W7xbvBc3qLD+AAGLDX/6tS8bld0x/aYv41dNUmn0UUcBwOaLHuYeuQ7x3QqAxJxr2XpqW+Ti85sx5P6+On0//DwSOTE495lrK
  ltSHiBd8qf5YykJnl7a05XvfE1XbaETOV27i4U1S+ZchUg+3ES8OsdeL4NgbJIHhxK2C3z03g2nvxm27Etv45N/UdLaRkcUThu/eOHIYJA/YB6
  IeqopFSzF4sx2C9JXTqWniIyxDxbbd2/4fCTP9Fkx0YZJBok9QHJrAkkGP98itzglrYG23cm0Al8tR43Sz4bZzK4OkFm45WPy/XAWERDoGPhmQ
  ==
`;

const octets = (base64: string): Buffer => Buffer.from(base64, "base64");
const certificate = new X509Certificate(octets(CERTIFICATE)).toString();

/**
 * What `sign.awsSns` and `sign.paypal` sign by, unless told otherwise. The source under test believes it if it is given its
 * `fetch`.
 *
 * **For tests alone:** whoever has this package has the key, so a source with this `fetch` lets in anybody.
 *
 * @example
 * ```ts
 * const source = awsSns({ topicArns: [topicArn], fetch: testCertificate.fetch });
 * const app = express().use("/sns", createWebhookNode({ source, emitter }));
 * const { status } = await deliver(app, "awsSns", { order: 1 }, { topicArn, path: "/sns" });
 * ```
 */
export const testCertificate: TestCertificate = {
  privateKey: createPrivateKey({ key: octets(PRIVATE_KEY), format: "der", type: "pkcs8" }),
  certificate,
  fetch: async () => new Response(certificate),
};
