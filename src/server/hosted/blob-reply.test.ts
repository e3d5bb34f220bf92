import { expect, test } from "bun:test";
import { digestOf } from "../../registry/testing/content.ts";
import type { HeldObject } from "../../store/content.ts";
import { hostedBlobReply } from "./blob-reply.ts";
import type { HostedRequest } from "./hosted.ts";

// Blobs that are kept in a bucket, whose clients are sent there.

const digest = digestOf("abc");
const place = "https://bucket.example/abc?signed";

interface Asked {
  readonly method: "GET" | "HEAD";
  readonly isMember: boolean;
  readonly link: string | undefined;
  readonly opened: "found" | "absent";
}

async function ask({
  method,
  isMember,
  link,
  opened,
}: Asked): Promise<{ readonly reply: Response; readonly links: number }> {
  let links = 0;
  const content: HeldObject = {
    kind: "object",
    link: () => {
      links++;
      return Promise.resolve(link);
    },
    open: () => {
      const body = new Blob(["abc"]).stream();
      return Promise.resolve(
        opened === "absent" ? { kind: "absent" } : { kind: "found", body, startByte: 0, sizeBytes: 3 },
      );
    },
  };
  const find = () => Promise.resolve(isMember ? { content, sizeBytes: 3 } : undefined);
  const request = new Request(`http://own.test/v2/a/blobs/${digest}`, { method });
  // As much of a request as blobs take.
  const reply = await hostedBlobReply(
    { hosted: { blobs: { find } }, request, repository: "a" } as unknown as HostedRequest,
    digest,
  );
  return { reply, links };
}

test.each<[string, Partial<Asked>, readonly [number, string | null, number]]>([
  ["GET is sent to the bucket", {}, [307, place, 1]],
  ["HEAD is answered here", { method: "HEAD" }, [200, null, 0]],
  ["of what the repository does not have no link is made", { isMember: false }, [404, null, 0]],
  ["without links the bytes come from here", { link: undefined }, [200, null, 1]],
  [
    "an object that is gone is no 404, which clients would remember",
    { link: undefined, opened: "absent" },
    [503, null, 1],
  ],
])("%s", async (_, more, expected) => {
  const { reply, links } = await ask({ method: "GET", isMember: true, link: place, opened: "found", ...more });
  expect([reply.status, reply.headers.get("location"), links]).toEqual([...expected]);
  if (reply.status === 200) {
    expect(reply.headers.get("docker-content-digest")).toBe(digest);
    expect(await reply.text()).toBe("method" in more ? "" : "abc");
  }
});
