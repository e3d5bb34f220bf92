import { expect, test } from "bun:test";
import { AddressOrder } from "./address-order.ts";

test("the address that failed last goes last, at its origin only", () => {
  const order = new AddressOrder();
  order.failed("https://a", "1.1.1.1");
  expect(order.sort("https://a", ["1.1.1.1", "2.2.2.2", "3.3.3.3"])).toEqual(["2.2.2.2", "3.3.3.3", "1.1.1.1"]);
  expect(order.sort("https://b", ["1.1.1.1", "2.2.2.2"])).toEqual(["1.1.1.1", "2.2.2.2"]);
  order.failed("https://a", "2.2.2.2");
  expect(order.sort("https://a", ["1.1.1.1", "2.2.2.2"])).toEqual(["1.1.1.1", "2.2.2.2"]);
  expect(order.sort("https://a", ["4.4.4.4"])).toEqual(["4.4.4.4"]);
});

test("the table is bounded", () => {
  const order = new AddressOrder();
  for (let i = 0; i <= 256; i++) order.failed(`https://${i}`, "1.1.1.1");
  expect(order.sort("https://0", ["1.1.1.1", "2.2.2.2"])).toEqual(["1.1.1.1", "2.2.2.2"]);
  expect(order.sort("https://1", ["1.1.1.1", "2.2.2.2"])).toEqual(["2.2.2.2", "1.1.1.1"]);
});
