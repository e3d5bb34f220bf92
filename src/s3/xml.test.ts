import { expect, test } from "bun:test";
import fc from "fast-check";
import { childText, escapeXml, parseXml } from "./xml.ts";

test("elements, text, attributes, references and a declaration are read", () => {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<A xmlns="http://x" b='1'><C>x &amp; &lt;y&gt; &#65;&#x1F600;</C><D/>\n<C>z</C></A>\n`;
  expect(parseXml(xml)).toEqual({
    name: "A",
    text: "\n",
    children: [
      { name: "C", text: "x & <y> A\u{1F600}", children: [] },
      { name: "D", text: "", children: [] },
      { name: "C", text: "z", children: [] },
    ],
  });
  expect(childText(parseXml(xml), "C")).toBe("x & <y> A\u{1F600}");
  expect(childText(parseXml(xml), "E")).toBeUndefined();
});

const bomb = `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>`;

test.each([
  ["nothing", ""],
  ["a text", "NoSuchKey"],
  ["HTML", "<!doctype html><html></html>"],
  ["entities of its own", bomb],
  ["a file of ours", `<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>`],
  ["an entity that nobody declared", "<l>&b;</l>"],
  ["half an entity", "<l>&amp</l>"],
  ["a character that is none", "<l>&#x110000;</l>"],
  ["a comment", "<l><!-- x --></l>"],
  ["CDATA", "<l><![CDATA[x]]></l>"],
  ["an instruction", "<l><?php x ?></l>"],
  ["an end too early", "<l><m></l></m>"],
  ["an end too few", "<l><m></m>"],
  ["an end too many", "<l></l></l>"],
  ["two roots", "<l/><l/>"],
  ["text behind the root", "<l/>x"],
  ["a broken tag", "<l"],
  ["depth", "<a>".repeat(9) + "</a>".repeat(9)],
  ["a million elements", `<l>${"<a/>".repeat(1_000_000)}</l>`],
])("%s is refused", (_, xml) => {
  expect(parseXml(xml)).toBeUndefined();
});

test.each([
  ["blanks in a tag", `<l${" ".repeat(1_000_000)}`],
  ["attributes", `<l ${'a="b" '.repeat(200_000)}`],
  ["starts", "<".repeat(1_000_000)],
  ["references", `<l>${"&".repeat(1_000_000)}</l>`],
])("a megabyte of %s takes no time to speak of", (_, xml) => {
  const startedMs = performance.now();
  expect(parseXml(xml)).toBeUndefined();
  expect(performance.now() - startedMs).toBeLessThan(1000);
});

test("any text that was escaped is read as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(parseXml(`<l>${escapeXml(text)}</l>`)?.text).toBe(text);
    }),
  );
});

test("nothing at all makes it throw", () => {
  const piece = fc.constantFrom("<", ">", "/", "a", "&", ";", "#", "x", "1", '"', "=", " ", "<a>", "</a>", "!", "?");
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      parseXml(pieces.join(""));
    }),
  );
});
