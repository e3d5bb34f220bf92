import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatReference, parseReference, type Reference } from "../reference/reference.ts";
import { backupOf, parseTemplate, renderTemplate } from "./template.ts";

const atMs = Date.UTC(2026, 0, 3, 4, 5, 6);
const target = parseReference("registry.internal:5000/k8s/pause:3.9") as Reference;

function render(text: string): string {
  const template = parseTemplate(text);
  return "reason" in template ? template.reason : renderTemplate(template, target, atMs);
}

test.each([
  ["{tag}-before-{date}", "3.9-before-20260103"],
  ["{registry}/old/{repository}:{tag}-{date}{time}", "registry.internal:5000/old/k8s/pause:3.9-20260103040506"],
  ["plain", "plain"],
  ["{tga}", "has {tga}; is {tag} meant?"],
  ["{version}", "has {version}; there are {tag}, {repository}, {registry}, {date}, {time}"],
  ["{tag", "has a brace without its other one"],
  ["tag}", "has a brace without its other one"],
  ["{{tag}}", "has a brace without its other one"],
])("%s makes %s", (text, expected) => {
  expect(render(text)).toBe(expected);
});

test.each([
  ["{tag}-old", "registry.internal:5000/k8s/pause:3.9-old"],
  ["{registry}/old/{repository}:{tag}", "registry.internal:5000/old/k8s/pause:3.9"],
  ["other.example/backups:{tag}", "other.example/backups:3.9"],
  [" {tag}-x ", "registry.internal:5000/k8s/pause:3.9-x"],
  ["-{tag}", 'makes "-3.9", where "-3.9" is not a tag'],
  ["A/b:{tag}", 'makes "A/b:3.9", where'],
])("a backup by %j goes to %s", (text, expected) => {
  const template = parseTemplate(text);
  if ("reason" in template) throw new Error(template.reason);
  const backup = backupOf(template, target, atMs);
  expect("reason" in backup ? backup.reason : formatReference(backup)).toStartWith(expected);
});

test("a text without braces is itself", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."ab.-_:/ {}"), maxLength: 8 }), (text) => {
      const made = render(text);
      if (!/[{}]/.test(text)) expect(made).toBe(text);
      else expect(made).toMatch(/^has (\{|a brace)/);
    }),
  );
});
