import { expect, test } from "bun:test";
import { type Access, challengeReply, identify, tokenReply } from "./access.ts";
import { type Identity, TokenSigner } from "./token.ts";

const signer = new TokenSigner(new Uint8Array(32), () => 1000);
const access: Access = {
  signer,
  users: { check: async (name, password) => name === "ann" && password === "se:cret" },
};
const ann: Identity = { kind: "user", name: "ann" };
const anonymous: Identity = { kind: "anonymous" };

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

test.each<[string, string | null, Identity | undefined]>([
  ["nothing", null, undefined],
  ["an empty header", "", undefined],
  ["a right password", basic("ann:se:cret"), ann],
  ["the scheme in lower case", basic("ann:se:cret").replace("Basic", "basic"), ann],
  ["a wrong password", basic("ann:secret"), undefined],
  ["no password", basic("ann:"), undefined],
  ["no colon", basic("ann"), undefined],
  ["no user", basic(":se:cret"), undefined],
  ["Basic that is no base64", "Basic !!!!", undefined],
  ["Basic without a value", "Basic", undefined],
  ["a user's token", `Bearer ${signer.sign(ann, 5000)}`, ann],
  ["an anonymous token", `Bearer ${signer.sign(anonymous, 5000)}`, anonymous],
  ["a token that is over", `Bearer ${signer.sign(ann, 0)}`, undefined],
  ["a token that is none", "Bearer x.y.z", undefined],
  ["a token as Basic", `Basic ${signer.sign(ann, 5000)}`, undefined],
  ["another scheme", `Digest ${signer.sign(ann, 5000)}`, undefined],
])("%s", async (_, header, identity) => {
  expect(await identify(access, header)).toEqual(identity as typeof anonymous);
});

test.each([
  ["http://cache.test:5000/v2/", undefined, 'Bearer realm="http://cache.test:5000/token",service="periplus"'],
  [
    "https://cache.test/v2/a/b/manifests/1?ns=quay.io",
    "a/b",
    'Bearer realm="https://cache.test/token",service="periplus",scope="repository:a/b:pull"',
  ],
  ["/v2/", undefined, 'Basic realm="periplus"'],
  ["/v2/a/b/manifests/1", "a/b", 'Basic realm="periplus"'],
])("who comes to %s is challenged there", async (url, repository, challenge) => {
  const reply = challengeReply(url, repository === undefined ? undefined : { repository, action: "pull" });
  expect([reply.status, reply.headers.get("www-authenticate")]).toEqual([401, challenge]);
  expect(((await reply.json()) as { errors: { code: string }[] }).errors[0]?.code).toBe("UNAUTHORIZED");
});

interface TokenBody {
  readonly token: string;
  readonly access_token: string;
  readonly expires_in: number;
}

test.each([
  ["who sends nothing", null, anonymous],
  ["a user", basic("ann:se:cret"), ann],
])("%s gets a token that says so", async (_, header, identity) => {
  const reply = await tokenReply(access, header);
  expect([reply.status, reply.headers.get("cache-control")]).toEqual([200, "no-store"]);
  const body = (await reply.json()) as TokenBody;
  expect(body.access_token).toBe(body.token);
  expect(body.expires_in).toBe(300);
  expect(await identify(access, `Bearer ${body.token}`)).toEqual(identity);
});

test.each([basic("ann:wrong"), "Bearer x.y.z", "Digest x", "Basic"])("%s gets no token", async (header) => {
  const reply = await tokenReply(access, header);
  expect([reply.status, reply.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="periplus"']);
  expect(await reply.text()).not.toContain('token":');
});
