import { afterEach, expect, test } from "bun:test";
import { presigned, type Signable, signedHeaders } from "./sign.ts";
import { exampleCredential } from "./testing/bucket-at.ts";

// "Authenticating Requests: Using the Authorization Header" and "Using Query Parameters", Amazon S3 API reference.
const signing = { credential: exampleCredential, region: "us-east-1", epochMs: Date.UTC(2013, 4, 24) };
const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const host = "https://examplebucket.s3.amazonaws.com";

const put: Signable = {
  method: "PUT",
  url: new URL(`${host}/test%24file.text`),
  headers: { Date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
  payloadSha256: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
};
const lifecycle: Signable = {
  method: "GET",
  url: new URL(`${host}/?lifecycle=`),
  headers: {},
  payloadSha256: emptySha256,
};

test.each<[string, Signable, string, string]>([
  [
    "PUT Object",
    put,
    "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  ],
  [
    "GET Bucket Lifecycle",
    lifecycle,
    "host;x-amz-content-sha256;x-amz-date",
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  ],
  [
    "List Objects",
    { ...lifecycle, url: new URL(`${host}/?prefix=J&max-keys=2`) },
    "host;x-amz-content-sha256;x-amz-date",
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  ],
])("AWS's example: %s", (_, signable, names, signature) => {
  const headers = signedHeaders(signable, signing);
  expect(headers["Authorization"]).toBe(
    `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=${names}, Signature=${signature}`,
  );
  expect(headers["X-Amz-Date"]).toBe("20130524T000000Z");
});

test("AWS's example: a URL signed for a day", () => {
  const url = new URL(presigned(new URL(`${host}/test.txt`), signing, 86_400));
  expect([url.origin, url.pathname]).toEqual([host, "/test.txt"]);
  expect(Object.fromEntries(url.searchParams)).toEqual({
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request",
    "X-Amz-Date": "20130524T000000Z",
    "X-Amz-Expires": "86400",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
  });
});

const withToken = { ...signing, credential: { ...exampleCredential, sessionToken: "AQoEXAMPLEH4aoAH0g/+=" } };

test("a session token is sent, and signed", () => {
  const headers = signedHeaders(lifecycle, withToken);
  expect(headers["X-Amz-Security-Token"]).toBe("AQoEXAMPLEH4aoAH0g/+=");
  expect(headers["Authorization"]).toContain("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token");
  const url = new URL(presigned(new URL(`${host}/test.txt`), withToken, 60));
  expect(url.searchParams.get("X-Amz-Security-Token")).toBe("AQoEXAMPLEH4aoAH0g/+=");
});

test("what a write depends on is signed; a range is not", () => {
  const headers = {
    "If-None-Match": "*",
    "x-amz-checksum-sha256": "x",
    "Content-Type": "text/plain",
    Range: "bytes=0-1",
  };
  const signed = signedHeaders({ ...put, headers }, signing)["Authorization"];
  expect(signed).toContain(
    "SignedHeaders=content-type;host;if-none-match;x-amz-checksum-sha256;x-amz-content-sha256;x-amz-date,",
  );
});

const before = process.env["AWS_SESSION_TOKEN"];
afterEach(() => {
  if (before === undefined) delete process.env["AWS_SESSION_TOKEN"];
  else process.env["AWS_SESSION_TOKEN"] = before;
});

test("a token of the environment is none of ours", () => {
  process.env["AWS_SESSION_TOKEN"] = "elsewhere";
  expect(JSON.stringify(signedHeaders(lifecycle, signing))).not.toContain("elsewhere");
  expect(presigned(new URL(`${host}/test.txt`), signing, 60)).not.toContain("elsewhere");
});
