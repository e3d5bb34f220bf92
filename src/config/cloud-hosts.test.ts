import { expect, test } from "bun:test";
import { cloudOfHost } from "./cloud-hosts.ts";
import { wellKnownRegistries } from "./well-known.ts";

test.each([
  ["us-central1-docker.pkg.dev", "gcp us-central1"],
  ["northamerica-northeast2-docker.pkg.dev", "gcp northamerica-northeast2"],
  ["us-docker.pkg.dev", "gcp undefined"],
  ["us-central1-npm.pkg.dev", "gcp undefined"],
  ["gcr.io", "gcp undefined"],
  ["eu.gcr.io", "gcp undefined"],
  ["123456789012.dkr.ecr.eu-west-1.amazonaws.com", "aws eu-west-1"],
  ["123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "aws us-gov-west-1"],
  ["123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "aws cn-north-1"],
  ["123456789012.dkr-ecr.us-west-2.on.aws", "aws us-west-2"],
  ["public.ecr.aws", "aws undefined"],
  ["team.azurecr.io", "azure undefined"],
  ["mcr.microsoft.com", "azure undefined"],
  ["quay.io", undefined],
  ["evilgcr.io", undefined],
  ["gcr.io.evil.example", undefined],
  ["x.dkr.ecr.eu-west-1.amazonaws.com.evil.example", undefined],
  ["s3.eu-west-1.amazonaws.com", undefined],
])("%p is in %p", (hostname, place) => {
  const found = cloudOfHost(hostname);
  expect(found && `${found.cloud} ${found.region}`).toBe(place);
});

test("the well-known registries are reached over https, and tokens come from elsewhere only where that is known", () => {
  const elsewhere = [...wellKnownRegistries.values()].filter(({ tokenHosts }) => tokenHosts.length > 0);
  expect(elsewhere.map(({ host, tokenHosts }) => `${host} ${tokenHosts.join()}`)).toEqual([
    "docker.io auth.docker.io",
    "registry.gitlab.com gitlab.com",
    "docker.elastic.co docker-auth.elastic.co",
  ]);
  for (const [host, { url }] of wellKnownRegistries) {
    expect(url).toBe(host === "docker.io" ? "https://registry-1.docker.io" : `https://${host}`);
  }
  expect(wellKnownRegistries.size).toBe(18);
});
