import { expect, test } from "bun:test";
import fc from "fast-check";
import { describeTemplate } from "../testing/describe.ts";
import { entryFields, refFields } from "./expand.ts";
import { evaluateGo, fileArguments, type GoScope, onlyFile } from "./go-template.ts";

const scope: GoScope = {
  env: (name) => (name === "USER" ? "ann" : ""),
  file: (path) => (path === "/token" ? "secret" : { reason: `reads ${path}, which cannot be read` }),
  fields: new Map([
    ...entryFields({ source: "gcr.io/example/repo", target: "r.io/x", type: "repository" }),
    ...refFields,
  ]),
};

function evaluate(template: string): string {
  const made = evaluateGo(template, scope);
  return "reason" in made ? `refused: ${made.reason}` : describeTemplate(made);
}

test.each([
  ["plain {text}", "plain {text}"],
  ['{{env "USER"}}', "ann"],
  ['{{ env "NONE" }}', ""],
  ['{{file "/token"}}', "secret"],
  ["{{ file `/token` }}", "secret"],
  ['{{"/token" | file | upper}}', "SECRET"],
  ["r.io/hub/{{ .Sync.Source }}", "r.io/hub/gcr.io/example/repo"],
  ['r.io/{{ index (split .Sync.Source "gcr.io/") 1 }}', "r.io/example/repo"],
  ['{{ join (split .Step.Source "/") "-" }}', "gcr.io-example-repo"],
  ['{{ lower "ABC" }}{{ trimSpace " x " }}', "abcx"],
  ['{{ default "x" (env "NONE") }}{{ env "USER" | default "y" }}', "xann"],
  ["{{ .Sync.Type }} {{- /* no word */ -}} {{ .Sync.Target }}", "repositoryr.io/x"],
  ["a {{- .Sync.Type -}} b", "arepositoryb"],
  ["backup-{{.Ref.Tag}}", "backup-{tag}"],
  ["{{.Ref.Registry}}/old/{{.Ref.Repository}}:{{.Ref.Tag}}", "{registry}/old/{repository}:{tag}"],
  ["{{.Ref.Reference}}-x", "{registry}/{repository}:{tag}-x"],
  ['{{.Ref.Tag}}-{{time.Now.Format "20060102-150405"}}', "{tag}-{year4}{month2}{day2}-{hour2}{minute2}{second2}"],
  [
    '{{$t := time.Now}}{{printf "%s/b/%s:%s-%d%02d%02d" .Ref.Registry .Ref.Repository .Ref.Tag $t.Year $t.Month $t.Day}}',
    "{registry}/b/{repository}:{tag}-{year}{month2}{day2}",
  ],
  ['{{ $x := .Ref.Tag }}{{ printf "%s-%d%%" $x 7 }}', "{tag}-7%"],
  ['{{ $t := time.Now }}{{ $t.Format "2006-01-02" }} {{ $t.Year }}', "{year4}-{month2}-{day2} {year}"],
  ['{{ print "a" .Ref.Tag }}', "a{tag}"],
  ['{{ "a\\"\\n" }}', 'a"\n'],
])("%s is %s", (template, expected) => {
  expect(evaluate(template)).toBe(expected);
});

test.each([
  ["{{if .Ref.Tag}}x{{end}}", "uses {{if}}; write what it comes to, or one entry for each case"],
  ["{{range .X}}{{end}}", "uses {{range}}"],
  ["{{ .Ref.Digest }}", "uses .Ref.Digest, which is not understood here; those that are, are .Sync.Source,"],
  ["{{ json . }}", "uses json, which is not understood here"],
  ["{{ $x }}", "uses $x, which is not understood here"],
  ["{{ upper .Ref.Tag }}", "uses upper with something that it is not understood with here"],
  ['{{ split .Ref.Tag "-" }}', "uses split with something"],
  ['{{ index (split "a" "/") 1 }}', "takes element 1 of a list of 1"],
  ['{{ split "a" "b" }}', "prints a list; take one of it with index"],
  ["{{ time.Now }}", "prints a time; give it a form, as in time.Now.Format"],
  ["{{ time.Now.Month }}", "prints the name of a month"],
  ['{{ time.Now.Format "Jan 2" }}', 'has the form of time "Jan 2"'],
  ['{{ printf "%q" "a" }}', "uses printf with %q"],
  ['{{ printf "%s" }}', "uses printf with something"],
  ['{{ printf "a" "b" }}', "gives printf more or fewer values"],
  ['{{ file "/none" }}', "reads /none, which cannot be read"],
  ["{{ env }}", "uses env with something"],
  ["{{ .Ref.Tag", "has {{ without its }}"],
  ["{{}}", "has an action with nothing in it"],
  ["{{ ( }}", "has a parenthesis without its other one"],
  ["{{ ) }}", 'has ")" where a value is expected'],
  ["{{ .Ref.Tag .Ref.Tag }}", "has values side by side without a function"],
  ["{{ | }}", "has an action with nothing in it"],
  ["{{ $x := }}", "has an action with nothing in it"],
  ["{{ # }}", 'has "# }}", which is not understood here'],
  ["x".repeat(10_001), "is longer than 10000 characters"],
])("%s is refused: %s", (template, reason) => {
  expect(evaluate(template)).toStartWith(`refused: ${reason}`);
});

test("the files that a template reads are known before it is evaluated", () => {
  expect(fileArguments('{{file "/a"}}{{ env "x" }}{{ upper (file `/b`) }}')).toEqual(["/a", "/b"]);
  expect(fileArguments("{{file")).toEqual([]);
  expect(onlyFile('{{ file "/a" }}')).toBe("/a");
  expect(onlyFile('x{{ file "/a" }}')).toBeUndefined();
  expect(onlyFile('{{ file "/a" | upper }}')).toBeUndefined();
});

test("no template makes it throw, and a text without braces is itself", () => {
  const piece = fc.constantFrom(
    "{{",
    "}}",
    "-",
    " ",
    "(",
    ")",
    "|",
    ":=",
    "$x",
    ".Ref.Tag",
    "env",
    "printf",
    '"%s"',
    '"',
    "`",
    "1",
    "time.Now",
    "/*",
    "*/",
    "a",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const template = pieces.join("");
      const made = evaluate(template);
      if (!template.includes("{{")) expect(made).toBe(template);
    }),
    { numRuns: 5000 },
  );
});
