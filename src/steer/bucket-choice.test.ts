import { expect, test } from "bun:test";
import { type ClientPlace, orderBuckets } from "./bucket-choice.ts";
import { bucketOf } from "./testing/holders.ts";

const order = orderBuckets([
  bucketOf("gcp-1", { cloud: "gcp", regions: ["us-central1"] }),
  bucketOf("aws-1", { cloud: "aws", regions: ["us-east-1", "us-east-2"] }),
  bucketOf("aws-2", { cloud: "aws", regions: ["eu-west-3", "us-east-2"] }),
  bucketOf("cdn", { isDefault: true }),
]);

test.each<[ClientPlace | undefined, readonly string[]]>([
  [{ cloud: "aws", region: "us-east-1" }, ["aws-1", "cdn"]],
  [{ cloud: "aws", region: "us-east-2" }, ["aws-1", "aws-2", "cdn"]],
  [{ cloud: "aws", region: "eu-west-3" }, ["aws-2", "aws-1", "cdn"]],
  [{ cloud: "aws", region: "ap-south-1" }, ["aws-1", "cdn"]],
  [{ cloud: "aws", region: "us-central1" }, ["aws-1", "cdn"]],
  [{ cloud: "aws", region: undefined }, ["aws-1", "cdn"]],
  [{ cloud: "gcp", region: "us-central1" }, ["gcp-1", "cdn"]],
  [{ cloud: "azure", region: "eastus" }, ["cdn"]],
  [undefined, ["cdn"]],
])("clients at %j are offered %j", (place, expected) => {
  expect(order.for(place).map(({ holder }) => holder.name)).toEqual([...expected]);
});

test("a default bucket of the client's own cloud is offered once, and nobody is offered what is not there", () => {
  const own = orderBuckets([bucketOf("aws-1", { cloud: "aws", regions: ["us-east-1"], isDefault: true })]);
  expect(own.for({ cloud: "aws", region: "us-east-1" }).map(({ prefix }) => prefix)).toEqual([
    "https://aws-1.example/images/",
  ]);
  expect(own.for(undefined)).toHaveLength(1);
  expect(orderBuckets([]).for(undefined)).toEqual([]);
  expect(orderBuckets([bucketOf("aws-1", { cloud: "aws" })]).for(undefined)).toEqual([]);
});
