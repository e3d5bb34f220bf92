import { expect, test } from "bun:test";
import { proxyFromEnvironment } from "./environment.ts";

const https = { HTTPS_PROXY: "http://p:3128" };

test.each([
  [{}, "https://a.example", undefined],
  [https, "https://a.example", "http://p:3128"],
  [https, "http://a.example", undefined],
  [{ http_proxy: "http://q" }, "http://a.example", "http://q"],
  [{ https_proxy: "http://lower", HTTPS_PROXY: "http://upper" }, "https://a.example", "http://lower"],
  [{ HTTPS_PROXY: "p:3128" }, "https://a.example", "http://p:3128"],
  [{ HTTPS_PROXY: "socks5://p" }, "https://a.example", undefined],
  [{ HTTPS_PROXY: "" }, "https://a.example", undefined],
  [https, "https://localhost:5000", undefined],
  [https, "https://[::1]:5000", undefined],
  [{ ...https, NO_PROXY: "*" }, "https://a.example", undefined],
  [{ ...https, NO_PROXY: "b.example, .example" }, "https://a.example", undefined],
  [{ ...https, no_proxy: "A.EXAMPLE" }, "https://a.example", undefined],
  [{ ...https, no_proxy: "a.example" }, "https://x.a.example", undefined],
  [{ ...https, no_proxy: "*.a.example" }, "https://x.a.example", undefined],
  [{ ...https, no_proxy: "a.example" }, "https://aa.example", "http://p:3128"],
  [{ ...https, no_proxy: "a.example:5000" }, "https://a.example:5000", undefined],
  [{ ...https, no_proxy: "a.example:5000" }, "https://a.example", "http://p:3128"],
  [{ ...https, no_proxy: "10.0.0.0/8" }, "https://10.1.2.3", undefined],
  [{ ...https, no_proxy: "10.0.0.0/8" }, "https://11.1.2.3", "http://p:3128"],
  [{ ...https, no_proxy: "fc00::/7" }, "https://[fd00::1]:5000", undefined],
  [{ ...https, no_proxy: "," }, "https://a.example", "http://p:3128"],
])("with %j, %s goes through %p", (env: Record<string, string>, url, proxy) => {
  expect(proxyFromEnvironment(env, new URL(url))).toBe(proxy);
});
