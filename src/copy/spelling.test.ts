import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseEnd } from "./spelling.ts";

const digest = `sha256:${"a".repeat(64)}`;

/** An end in short: kind, then path or reference, name, digest. */
function short(text: string): string {
  const end = parseEnd(text);
  switch (end.kind) {
    case "refused":
      return `refused: ${end.reason}`;
    case "registry": {
      const { host, repository, tag, digest } = end.reference;
      return ["registry", `${host}/${repository}`, tag ?? "-", digest ?? "-"].join(" ");
    }
    default:
      return [end.kind, end.path, end.name ?? "-", end.digest ?? "-"].join(" ");
  }
}

test.each([
  ["docker://registry.k8s.io/pause:3.10", "registry registry.k8s.io/pause 3.10 -"],
  [`docker://registry.k8s.io/pause@${digest}`, `registry registry.k8s.io/pause - ${digest}`],
  ["docker://alpine", "registry docker.io/library/alpine latest -"],
  ["registry.k8s.io/pause:3.10", "registry registry.k8s.io/pause 3.10 -"],
  ["localhost:5000/app", "registry localhost:5000/app latest -"],
  ["alpine", "registry docker.io/library/alpine latest -"],
  ["docker://registry.example/backup.tar", "registry registry.example/backup.tar latest -"],
  ["dir:5000/app", "registry dir:5000/app latest -"],
  ["oci:images", "oci images - -"],
  ["oci:/srv/images:1.0", "oci /srv/images 1.0 -"],
  [`oci:images@${digest}`, `oci images - ${digest}`],
  [`oci:images:1.0@${digest}`, `oci images 1.0 ${digest}`],
  ["oci:a@b/images:1.0", "oci a@b/images 1.0 -"],
  ["oci:images:registry.k8s.io/pause:3.10", "oci images registry.k8s.io/pause:3.10 -"],
  ["oci-archive:images.tar", "oci-archive images.tar - -"],
  ["oci-archive:images.tar.gz:1.0", "oci-archive images.tar.gz 1.0 -"],
  ["oci-archive:a.tar:localhost:5000/app:1.0", "oci-archive a.tar localhost:5000/app:1.0 -"],
  ["oci:images:_a__b---c.", "oci images _a__b---c. -"],
  ["docker-archive:saved.tar", "docker-archive saved.tar - -"],
  ["docker-archive:saved.tar:app:1.0", "docker-archive saved.tar app:1.0 -"],
  ["images.tar", "oci-archive images.tar - -"],
  ["./out/images.tar:1.0", "oci-archive ./out/images.tar 1.0 -"],
])("%s", (text, expected) => {
  expect(short(text)).toBe(expected);
});

test.each([
  ["", "empty"],
  ["-", "name a file"],
  ["a".repeat(5000), "4,096"],
  ["oci:a\nb", "control character"],
  ["docker:alpine", "docker://HOST/REPO"],
  ["docker://UPPER/case", "not a repository name"],
  ["dir:/tmp/x", "use oci:DIR"],
  ["docker-daemon:alpine:latest", "docker save"],
  ["containers-storage:alpine", "podman"],
  ["https://registry.k8s.io/pause", "leave the scheme away"],
  ["oci://images", "oci:images"],
  ["oci:", "names no folder"],
  ["oci-archive::1.0", "names no file"],
  ["oci:images:", "is not the name of an image"],
  ["oci:images:a b", "is not the name of an image"],
  ["oci:images:@1", "not chosen by number"],
  ["oci:images@sha256:12", "not a sha256"],
  [`docker-archive:saved.tar@${digest}`, "has no manifests"],
  ["./images", "oci:./images"],
  ["/srv/images", "oci:/srv/images"],
])("refused %#", (text, words) => {
  expect(short(text)).toStartWith("refused: ");
  expect(short(text)).toContain(words);
});

test("whatever is written gives an end or a reason, and a path never has a colon", () => {
  const words = fc.constantFrom("oci:", "oci-archive:", "docker://", "@", ":", "/", ".tar", digest, "a", "1.0", "..");
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(words).map((all) => all.join("")),
      ),
      (text) => {
        const end = parseEnd(text);
        if (end.kind === "refused") expect(end.reason).not.toBe("");
        else if (end.kind !== "registry") expect(end.path).toMatch(/^[^:]+$/);
      },
    ),
  );
});
