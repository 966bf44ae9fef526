import {
  admission,
  authenticate,
  begin,
  contentTypeGate,
  createWebhookNode,
  decompress,
  emit,
  hmacAuthenticator,
  methodGate,
} from "express-webhook-node";
import {
  checkFunction,
  checkOptions,
  eitherOf,
  OPTION_WORDS,
  positiveInteger,
  shown,
  text,
} from "../../lib/request/options";

describe("checkOptions", () => {
  it.each([
    ["maxByte", "maxBytes"],
    ["maxbytes", "maxBytes"],
    ["MAXBYTES", "maxBytes"],
    ["maxEncodedByte", "maxEncodedBytes"],
    ["deadline", "deadlineMs"],
    ["deadlineMS", "deadlineMs"],
    ["emiter", "emitter"],
    ["authenticate", "authenticator"],
    ["autenticator", "authenticator"],
    ["sources", "source"],
    ["method", "methods"],
    ["mediaType", "mediaTypes"],
    ["coding", "codings"],
    ["encodings", "codings"],
    ["anonimous", "anonymous"],
    ["groupid", "groupId"],
    ["maxDeph", "maxDepth"],
  ])("asks of %s whether %s was meant", (word, meant) => {
    expect(() => checkOptions("createWebhookNode", { [word]: 1 })).toThrow(
      new TypeError(`createWebhookNode: there is no option "${word}". Did you mean ${meant}?`),
    );
  });

  it("lists the words where none is near", () => {
    expect(() => checkOptions("decompress", { xyz: 1 }, ["b", "a"])).toThrow(
      new TypeError('decompress: there is no option "xyz". There are: a, b.'),
    );
  });

  it("looks at an option whose value is undefined too", () => {
    expect(() => checkOptions("decompress", { maxByte: undefined })).toThrow(/Did you mean maxBytes\?/);
  });

  it.each(["constructor", "__proto__", "toString"])(
    "knows no option by the name %s, which every object has",
    (word) => {
      const options = Object.defineProperty({}, word, { value: 1, enumerable: true });
      expect(() => checkOptions("decompress", options)).toThrow(TypeError);
    },
  );

  it.each([[null], [undefined], [1], ["maxBytes"], [[]], [() => {}]])("takes %p for no options", (options) => {
    expect(() => checkOptions("decompress", options as unknown as object)).toThrow(
      new TypeError("decompress: the options must be one object."),
    );
  });

  it("takes every word that it lists, and no options at all", () => {
    for (const word of OPTION_WORDS) expect(() => checkOptions("decompress", { [word]: undefined })).not.toThrow();
    expect(() => checkOptions("decompress", {})).not.toThrow();
  });
});

describe("positiveInteger", () => {
  it.each([1, 2, 1_048_576, Number.MAX_SAFE_INTEGER])("takes %d", (value) => {
    expect(positiveInteger("maxBytes", value)).toBe(value);
  });

  it.each([
    [Number.NaN, "NaN"],
    [-1, "-1"],
    [0, "0"],
    [-0, "0"],
    [1.5, "1.5"],
    [Infinity, "Infinity"],
    [-Infinity, "-Infinity"],
    [Number.MAX_SAFE_INTEGER + 1, "9007199254740992"],
    ["1mb", '"1mb"'],
    ["1024", '"1024"'],
    ["", '""'],
    [10n, "10"],
    [true, "true"],
    [null, "null"],
    [undefined, "undefined"],
    [[5], "an array"],
    [{ valueOf: () => 5 }, "an object"],
  ])("refuses %p", (value, named) => {
    expect(() => positiveInteger("maxBytes", value as number)).toThrow(
      new TypeError(`maxBytes: ${named} is not a positive whole number; its unit is in its name.`),
    );
  });
});

describe("positiveInteger, of milliseconds", () => {
  it("refuses what Node's timers take for 1, and nothing else", () => {
    expect(positiveInteger("timeoutMs", 2_147_483_647)).toBe(2_147_483_647);
    expect(positiveInteger("maxBytes", 2_147_483_648)).toBe(2_147_483_648);
    expect(() => positiveInteger("timeoutMs", 2_147_483_648)).toThrow(
      new TypeError("timeoutMs: 2147483648 is more than 24 days (2147483647), the longest that a timer waits."),
    );
  });
});

describe("text, eitherOf and checkFunction", () => {
  it("take what is one", () => {
    expect(text("name", "orders")).toBe("orders");
    expect(eitherOf("anonymous", "accept", "accept", "reject")).toBe("accept");
    expect(checkFunction("emitter", describe)).toBe(describe);
  });

  it.each([[""], [1], [null], [undefined], [["a"]], [new String("a")]])("refuse %p", (value) => {
    expect(() => text("name", value as string)).toThrow(/^name: .* is not a text, or an empty one\.$/);
    expect(() => eitherOf("anonymous", value, "accept", "reject")).toThrow(/ is neither "accept" nor "reject"\.$/);
    expect(() => checkFunction("emitter", value)).toThrow(/^emitter: .* is not a function\.$/);
  });
});

describe("shown", () => {
  it.each<[unknown, string]>([
    ["a", '"a"'],
    ["a".repeat(100), `"${"a".repeat(40)}"`],
    ["\n", '"\\n"'],
    [() => {}, "a function"],
    [[1], "an array"],
    [{}, "an object"],
    [null, "null"],
    [undefined, "undefined"],
    [1, "1"],
    [Symbol("a"), "Symbol(a)"],
    [Object.create(null), "an object"],
  ])("shows %p as %s", (value, expected) => {
    expect(shown(value)).toBe(expected);
  });
});

describe("a step's options, while the server starts", () => {
  const good = { anonymous: "accept", emitter: async () => {} } as const;
  const numbers = [Number.NaN, -1, 0, 1.5, Infinity, "1mb", "1048576", null, true, [5]];

  it.each([
    ["decompress", "maxBytes", decompress],
    ["decompress", "maxEncodedBytes", decompress],
    ["decompress", "maxDepth", decompress],
    ["admission", "maxInFlightBytes", admission],
    ["begin", "deadlineMs", begin],
  ] as const)("%s takes no %s that is no number of bytes, levels or milliseconds", (_, word, make) => {
    for (const value of numbers) expect(() => make({ [word]: value as number })).toThrow(TypeError);
    expect(() => make({ [word]: undefined })).not.toThrow();
    expect(() => make({ [word]: 5 })).not.toThrow();
  });

  it.each(["maxBytes", "maxEncodedBytes", "maxDepth", "maxInFlightBytes", "deadlineMs"])(
    "a node takes no %s that would lift it in silence",
    (word) => {
      for (const value of numbers.filter((value) => value !== null)) {
        expect(() => createWebhookNode({ ...good, [word]: value })).toThrow(new RegExp(`^${word}: `));
      }
      expect(() => createWebhookNode({ ...good, [word]: undefined })).not.toThrow();
    },
  );

  it.each<[string, () => unknown]>([
    ["methodGate", () => methodGate({ method: ["POST"] } as never)],
    ["contentTypeGate", () => contentTypeGate({ mediaType: [] } as never)],
    ["decompress", () => decompress({ maxByte: 1 } as never)],
    ["admission", () => admission({ maxInflightBytes: 1 } as never)],
    ["begin", () => begin({ deadline: 1 } as never)],
    ["authenticate", () => authenticate({ authenticators: () => null } as never)],
    ["emit", () => emit({ emiter: async () => {} } as never)],
    ["hmacAuthenticator", () => hmacAuthenticator({ secret: "x", header: "X" } as never)],
    ["createWebhookNode", () => createWebhookNode({ ...good, maxByte: 1 } as never)],
  ])("%s names itself and the word that was meant", (name, make) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(new RegExp(`^${name}: there is no option "\\w+"\\. Did you mean \\w+\\?$`));
  });

  it("may be left out", () => {
    for (const make of [methodGate, contentTypeGate, decompress, admission, begin]) expect(() => make()).not.toThrow();
  });
});
