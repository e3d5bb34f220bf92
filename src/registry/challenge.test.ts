import { expect, test } from "bun:test";
import fc from "fast-check";
import { challengeOf, parseChallenges } from "./challenge.ts";

type Plain = readonly (readonly [string, Readonly<Record<string, string>>])[];

function plain(header: string): Plain {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

test.each<[string, Plain]>([
  ["", []],
  [", ,", []],
  ["Basic", [["basic", {}]]],
  ['Basic realm="a, b"', [["basic", { realm: "a, b" }]]],
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
    [
      [
        "bearer",
        { realm: "https://auth.example/token", service: "registry.example", scope: "repository:a/b:pull,push" },
      ],
    ],
  ],
  ['BEARER Service = "s" , REALM="r"', [["bearer", { service: "s", realm: "r" }]]],
  [
    'Basic realm="x", Bearer realm="y", service=z',
    [
      ["basic", { realm: "x" }],
      ["bearer", { realm: "y", service: "z" }],
    ],
  ],
  [
    'Negotiate, Basic realm="x"',
    [
      ["negotiate", {}],
      ["basic", { realm: "x" }],
    ],
  ],
  [
    'Negotiate YII+/a==, Basic realm="x"',
    [
      ["negotiate", {}],
      ["basic", { realm: "x" }],
    ],
  ],
  [String.raw`Bearer realm="a\"b\\c"`, [["bearer", { realm: String.raw`a"b\c` }]]],
  ['Bearer realm="first", realm="second"', [["bearer", { realm: "first" }]]],
  ['Bearer realm="open', [["bearer", {}]]],
  [
    'Bearer realm="x" Basic',
    [
      ["bearer", { realm: "x" }],
      ["basic", {}],
    ],
  ],
  ['Bearer realm="x", ;;; Basic realm="y"', [["bearer", { realm: "x" }]]],
  ["=x", []],
  ["Bearer realm=", [["bearer", {}]]],
  ["a".repeat(9000), []],
])("%s", (header, expected) => {
  expect(plain(header)).toEqual(expected);
});

test("challenges written in any order, case and spacing are read back", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
  const value = fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, "?"));
  const scheme = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,8}$/);
  const challenge = fc.tuple(scheme, fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 4 }));
  const comma = fc.constantFrom(",", ", ", " ,", " , ", ",,");
  fc.assert(
    fc.property(fc.array(challenge, { maxLength: 4 }), comma, (challenges, comma) => {
      const written = challenges.map(([scheme, parameters]) => {
        const texts = parameters.map(([key, text]) => `${key}="${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`);
        return `${scheme} ${texts.join(comma)}`.trimEnd();
      });
      expect(plain(written.join(comma))).toEqual(
        challenges.map(([scheme, parameters]) => [scheme.toLowerCase(), Object.fromEntries(parameters)]),
      );
    }),
  );
});

test("any text is read without an error and within the limits", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "B", "=", ",", '"', "\\", " ", "/", "é"), maxLength: 60 }),
      (header) => {
        expect(parseChallenges(header).length).toBeLessThanOrEqual(16);
      },
    ),
  );
  expect(parseChallenges("a,".repeat(1000)).length).toBe(16);
});

test("a challenge is found by its scheme, the first of two", () => {
  const challenges = parseChallenges('Basic realm="x", Bearer realm="y", Bearer realm="z"');
  expect(challengeOf(challenges, "bearer")?.parameters.get("realm")).toBe("y");
  expect(challengeOf(challenges, "digest")).toBeUndefined();
});
