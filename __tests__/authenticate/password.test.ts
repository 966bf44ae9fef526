import { hash as argon2Hash } from "@node-rs/argon2";
import { hash as bcryptHash } from "bcryptjs";
import {
  boundedVerify,
  hashPassword,
  passwordVerifier,
  verifyPassword,
} from "express-webhook-node/authenticate/password";

/** Cheap ones, for tests that hash a lot. */
const CHEAP = { ln: 4, r: 8, p: 1 };

/** What Node throws for a package that is not installed. */
function notInstalled(): never {
  throw Object.assign(new Error("Cannot find module"), { code: "MODULE_NOT_FOUND" });
}

beforeEach(() => {
  jest.resetModules();
  jest.dontMock("bcrypt").dontMock("bcryptjs").dontMock("@node-rs/argon2");
  jest.doMock("argon2", notInstalled, { virtual: true });
});

describe("hashPassword [E2]", () => {
  it("makes a PHC string with OWASP's setting of 16 MiB, which verifies the same password alone", async () => {
    const hash = await hashPassword("correct horse");
    expect(hash).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await verifyPassword("correct horse", hash)).toBe(true);
    expect(await verifyPassword("correct horse ", hash)).toBe(false);
    expect(await verifyPassword("", hash)).toBe(false);
  });

  it("salts each hash by itself, and takes other costs", async () => {
    const [one, other] = await Promise.all([hashPassword("same", CHEAP), hashPassword("same", CHEAP)]);
    expect(one).toMatch(/^\$scrypt\$ln=4,r=8,p=1\$/);
    expect(one).not.toBe(other);
    expect(await verifyPassword("same", other)).toBe(true);
  });

  it.each([
    ["an empty password", () => hashPassword("", CHEAP), /password: "" is not a text/],
    ["no password", () => hashPassword(undefined as unknown as string), /password: undefined is not a text/],
    ["more memory than a request may take", () => hashPassword("a", { ln: 19 }), /more than 256 MiB/],
    ["more rounds than a request may take", () => hashPassword("a", { p: 17 }), /p=17/],
    ["half a cost", () => hashPassword("a", { ln: 1.5 }), /ln: 1.5 is not a positive whole number/],
    ["no cost", () => hashPassword("a", { r: 0 }), /r: 0 is not a positive whole number/],
    ["a misspelt cost", () => hashPassword("a", { P: 1 } as object), /no option "P"/],
  ])("refuses %s", async (_, hashing, message) => {
    await expect(hashing()).rejects.toThrow(TypeError);
    await expect(hashing()).rejects.toThrow(message);
  });
});

describe("verifyPassword [E2]", () => {
  it.each([
    // https://www.npmjs.com/package/@phc/scrypt
    [
      "scrypt, of @phc/scrypt",
      "password",
      "$scrypt$ln=15,r=8,p=1$D/EEcdfcBkj4DQB3zlfsFQ$v9Xsag5AySIY78DFKslBzeRXCUfsLKCZ0Xm4Xwoh+J0",
    ],
    // https://passlib.readthedocs.io/en/stable/lib/passlib.hash.scrypt.html
    [
      "scrypt, of Python's passlib",
      "password",
      "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
    ],
    // RFC 7914 section 12, its third vector, written as a PHC string: a hash of 64 octets.
    [
      "scrypt, of RFC 7914",
      "pleaseletmein",
      "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw",
    ],
    // The test vectors of jBCrypt.
    ["bcrypt $2a$", "abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"],
    // https://www.php.net/manual/en/function.password-verify.php
    ["bcrypt $2y$, of PHP", "rasmuslerdorf", "$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq"],
    // https://github.com/P-H-C/phc-winner-argon2#command-line-utility
    [
      "Argon2, of its reference implementation",
      "password",
      "$argon2i$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG",
    ],
    // Made by argon2 0.45.1, which writes its parameters in another order.
    [
      "Argon2, of the package argon2",
      "pw",
      "$argon2i$v=19$m=1024,p=4,t=3$EggyGIkKZU5onqoVIBNjpg$e73/RBSUAiusYgyFbqxPkswNcbPTS5b4",
    ],
  ])("knows %s", async (_, password, hash) => {
    expect(await verifyPassword(password, hash)).toBe(true);
    expect(await verifyPassword(`${password}x`, hash)).toBe(false);
  });

  it("knows what bcryptjs and @node-rs/argon2 make, in UTF-8", async () => {
    for (const hash of [await bcryptHash("pä:ss €", 4), await argon2Hash("pä:ss €", { memoryCost: 1024 })]) {
      expect(await verifyPassword("pä:ss €", hash)).toBe(true);
      expect(await verifyPassword("pä:ss", hash)).toBe(false);
    }
  });

  it("takes letters for equal however they are composed, and spaces of any width (RFC 8265)", async () => {
    const hash = await hashPassword("Zo\u00eb\u00a0x", CHEAP);
    expect(await verifyPassword("Zoe\u0308 x", hash)).toBe(true);
    expect(await verifyPassword("Zoe x", hash)).toBe(false);
  });

  it("refuses a password of more than the 72 octets that bcrypt reads, rather than cut it", async () => {
    const hash = await bcryptHash("a".repeat(72), 4);
    expect(await verifyPassword("a".repeat(72), hash)).toBe(true);
    expect(await verifyPassword(`${"a".repeat(72)}junk`, hash)).toBe(false);
    expect(await verifyPassword(`${"a".repeat(71)}é`, hash)).toBe(false);
  });

  const salt = "c29tZXNhbHQ";
  const hash = "RdescudvJCsgt3ub+b+dWRWJTmaaJObG";
  it.each([
    ["a password in the place of its hash", "hunter2 is no hash"],
    ["nothing", ""],
    ["a cost of zero", `$scrypt$ln=0,r=8,p=1$${salt}$${hash}`],
    ["a block of zero", `$scrypt$ln=4,r=0,p=1$${salt}$${hash}`],
    ["1 TiB", `$scrypt$ln=30,r=8,p=1$${salt}$${hash}`],
    ["512 MiB", `$scrypt$ln=16,r=64,p=1$${salt}$${hash}`],
    ["too many rounds", `$scrypt$ln=4,r=8,p=999$${salt}$${hash}`],
    ["a hash too short to tell", `$scrypt$ln=4,r=8,p=1$${salt}$AAAA`],
    ["padding", `$scrypt$ln=4,r=8,p=1$${salt}=$${hash}`],
    ["another order", `$scrypt$r=8,ln=4,p=1$${salt}$${hash}`],
    ["junk behind", `$scrypt$ln=4,r=8,p=1$${salt}$${hash}\n`],
    ["a bcrypt cost of hours", "$2b$31$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkY8jIucDrjc8deX1s.a"],
    ["the broken bcrypt $2x$", "$2x$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkY8jIucDrjc8deX1s.a"],
    ["a bcrypt hash that is cut", "$2b$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkY8jIucDrjc8deX1"],
    ["1 GiB for Argon2", `$argon2id$v=19$m=1048576,t=2,p=1$${salt}$${hash}`],
    ["too many passes of Argon2", `$argon2id$v=19$m=1024,t=999,p=1$${salt}$${hash}`],
    ["an Argon2 without its cost", `$argon2id$v=19$p=1,q=1,r=1$${salt}$${hash}`],
    ["an Argon2 whose cost is no number", `$argon2id$v=19$m=A,t=2,p=1$${salt}$${hash}`],
    ["an Argon2 of before version 19", `$argon2i$m=1024,t=2,p=1$${salt}$${hash}`],
    ["Apache's MD5", "$apr1$CX4wyYRF$g2NPyBuP3Qk4rJGzl2pYZ1"],
    ["SHA-512 of crypt", "$6$rounds=5000$usesomesillystri$D4IrlXatmP7rx3P3InaxBeoomnAihCKRVQAr"],
  ])("refuses %s, and does not show it", async (_, wrong) => {
    const refusal = await verifyPassword("a", wrong).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(TypeError);
    if (wrong !== "") expect((refusal as Error).message).not.toContain(wrong.slice(0, 20));
  });

  it("takes bcryptjs where bcrypt is not installed, and names what to install where neither is", async () => {
    const known = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";
    jest.doMock("bcrypt", notInstalled);
    expect(await verifyPassword("abc", known)).toBe(true);
    jest.resetModules();
    jest.doMock("bcryptjs", notInstalled);
    await expect(verifyPassword("abc", known)).rejects.toThrow(/npm install bcrypt, or pass verify/);
  });

  it("takes argon2 before @node-rs/argon2, and names what to install where neither is", async () => {
    const known = `$argon2i$v=19$m=65536,t=2,p=4$${salt}$${hash}`;
    const asked: unknown[] = [];
    jest.doMock("argon2", () => ({ verify: async (...args: unknown[]) => asked.push(args) === 1 }), { virtual: true });
    expect(await verifyPassword("password", known)).toBe(true);
    expect(asked).toEqual([[known, "password"]]);
    jest.resetModules();
    jest.doMock("argon2", notInstalled, { virtual: true });
    jest.doMock("@node-rs/argon2", notInstalled);
    await expect(verifyPassword("password", known)).rejects.toThrow(/npm install argon2, or pass verify/);
  });

  it("does not go on without a package that is installed and broken", async () => {
    jest.doMock("bcrypt", () => {
      throw new Error("wrong ELF class");
    });
    const known = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";
    await expect(verifyPassword("abc", known)).rejects.toThrow("wrong ELF class");
  });
});

describe("passwordVerifier [E2]", () => {
  it("hands what is not scrypt's to verify, whose answer is true or is no", async () => {
    const asked: string[][] = [];
    for (const [answer, expected] of [
      [true, true],
      [Promise.resolve(true), true],
      [false, false],
      ["yes", false],
      [1, false],
      [undefined, false],
    ]) {
      const isRight = passwordVerifier("{custom}x", (...args) => {
        asked.push(args);
        return answer as boolean;
      });
      expect(await isRight("a")).toBe(expected);
    }
    expect(asked[0]).toEqual(["a", "{custom}x"]);

    const own = passwordVerifier(await hashPassword("a", CHEAP), () => false);
    expect(await own("a")).toBe(true);
  });
});

describe("boundedVerify [E2]", () => {
  it("tells a failure of verify as an outage", async () => {
    const cause = new Error("LDAP is down");
    for (const verify of [
      () => Promise.reject(cause),
      () => {
        throw cause;
      },
    ]) {
      await expect(boundedVerify(verify)("a", "{ldap}x")).rejects.toMatchObject({
        code: "ERR_WEBHOOK_KEYS",
        status: 503,
        cause,
      });
    }
  });

  it("gives up on a verify that hangs, so that its place is free again", async () => {
    jest.useFakeTimers();
    try {
      let isDown = true;
      const verify = boundedVerify(() => (isDown ? new Promise<boolean>(() => {}) : true));
      const hanging = Array.from({ length: 10 }, (_, n) => verify(`a${n}`, "{ldap}x"));
      const settled = Promise.allSettled(hanging);
      await jest.advanceTimersByTimeAsync(9999);
      isDown = false;
      await jest.advanceTimersByTimeAsync(1);
      expect((await settled).map(({ status }) => status)).toEqual([
        ...Array.from({ length: 4 }, () => "rejected"),
        ...Array.from({ length: 6 }, () => "fulfilled"),
      ]);
    } finally {
      jest.useRealTimers();
    }
  });
});
