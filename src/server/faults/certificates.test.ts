import { connect } from "node:tls";
import { expect, setDefaultTimeout, test } from "bun:test";
import { digestOf } from "../../registry/testing/content.ts";
import { createLatch } from "../../registry/testing/scripted-reply.ts";
import { issueCertificate } from "../../net/test-certificate.ts";
import { type ListenerTls, tlsOptions } from "../../net/tls.ts";
import { Failure } from "../../errors/failure.ts";
import { listen } from "../testing/listen.ts";
import { RawConnection, requestText } from "../testing/raw-connection.ts";
import { uniqueBlob } from "../testing/unique-blob.ts";
import { createWorld, until } from "../testing/world.ts";

// Certificates change while pulls run.

setDefaultTimeout(20_000);

const authority = { commonName: "authority.test", ...issueCertificate({ commonName: "authority.test" }) };

function optionsFor(commonName: string): ListenerTls["options"] {
  const { cert, key } = issueCertificate({
    commonName,
    dnsNames: ["localhost"],
    addresses: ["127.0.0.1"],
    issuer: authority,
  });
  const made = tlsOptions([{ cert: { path: "cert", text: cert }, key: { path: "key", text: key } }], Date.now());
  if (made instanceof Failure) throw made;
  return made.options;
}

/** The common name of the certificate that a new connection is shown. */
function shownAt(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host: "127.0.0.1", port, ca: authority.cert, servername: "localhost" }, () => {
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    resolve(String(subject.CN));
  });
  socket.on("error", reject);
  return promise;
}

test("new connections are shown the new certificate, and a running pull ends whole on the old one", async () => {
  await using world = await createWorld();
  const blob = uniqueBlob(900_000);
  const gate = createLatch();
  world.upstream.on("GET", `/v2/${blob.path}`, { body: blob.blob, hold: { at: 500_000, until: gate.opened } });
  await using port = listen(world.app, { tls: optionsFor("before") });
  expect(await shownAt(port.port)).toBe("before");
  const pull = await RawConnection.open(port.port, authority.cert);
  pull.send(requestText("GET", `/v2/registry.test/${blob.path}`));
  await until(() => pull.unread.length > 400_000, "the pull runs");

  port.listener.rotate(optionsFor("after"));
  const shown = await Promise.all(Array.from({ length: 20 }, () => shownAt(port.port)));
  expect(new Set(shown)).toEqual(new Set(["after"]));
  expect(new URL(port.listener.url).port).toBe(String(port.port));

  gate.open();
  const answer = await pull.answer();
  expect([answer.isWhole, digestOf(answer.body)]).toEqual([true, blob.digest]);
  const next = await fetch(`${port.url.replace("127.0.0.1", "localhost")}/healthz`, { tls: { ca: authority.cert } });
  expect(next.status).toBe(200);
});

/** A request on a connection of its own. One that is being made while a listener closes is reset by the kernel: it is made again. */
async function askAnew(port: number): Promise<number> {
  const connection = await RawConnection.open(port, authority.cert).catch(() =>
    RawConnection.open(port, authority.cert),
  );
  connection.send(requestText("GET", "/healthz", ["Host: localhost", "Connection: close"]));
  return (await connection.answer()).status;
}

test("while certificates change again and again the port is never closed, and no request is lost", async () => {
  await using world = await createWorld();
  await using port = listen(world.app, { tls: optionsFor("0") });
  const over = new AbortController();
  let answered = 0;
  const client = async (): Promise<void> => {
    while (!over.signal.aborted) {
      expect(await askAnew(port.port)).toBe(200);
      answered++;
    }
  };
  const clients = Promise.all(Array.from({ length: 4 }, client));
  for (let round = 1; round <= 5; round++) {
    const before = answered;
    port.listener.rotate(optionsFor(String(round)));
    await until(() => answered > before + 10, "clients go on");
  }
  over.abort();
  await clients;
  expect(await shownAt(port.port)).toBe("5");
});

test("stopping waits for pulls on certificates of before, and ends them too when it may not wait longer", async () => {
  await using world = await createWorld();
  const blob = uniqueBlob(900_000);
  world.upstream.on("GET", `/v2/${blob.path}`, {
    body: blob.blob,
    hold: { at: 500_000, until: new Promise(() => {}) },
  });
  await using port = listen(world.app, { tls: optionsFor("before") });
  const pull = await RawConnection.open(port.port, authority.cert);
  pull.send(requestText("GET", `/v2/registry.test/${blob.path}`));
  await until(() => pull.unread.length > 400_000, "the pull runs");
  port.listener.rotate(optionsFor("after"));
  await port.listener.stop(50);
  expect((await pull.answer()).isWhole).toBe(false);
});
