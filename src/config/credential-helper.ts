import { Failure } from "../errors/failure.ts";
import { dockerHub, type RegistryHost } from "../reference/host.ts";
import type { Credential } from "./credential.ts";
import type { Environment } from "./environment.ts";

/** Which helper to ask about which registry, and for how long. */
export interface HelperRequest {
  /** What comes after `docker-credential-`. */
  readonly helper: string;
  readonly host: RegistryHost;
  /** Handed on whole: helpers find their own logins in it. Its `PATH` is where they are looked for. */
  readonly env: Environment;
  readonly timeoutMs: number;
}

const MAX_OUTPUT_BYTES = 64 * 1024;
/** What docker's helper protocol says on stdout for "I hold none": its one way to tell that from a failure. */
const NOT_FOUND = "credentials not found in native keychain";
/** The user name that marks a secret as an identity token. */
const TOKEN_USER = "<token>";

/**
 * Runs `docker-credential-NAME get` with the server on stdin. `undefined` when the helper holds nothing for it. Throws `CONFIG_INVALID` when
 * it is not there, fails, says too much or takes too long; what it printed is in no message.
 */
export async function runCredentialHelper(request: HelperRequest): Promise<Credential | undefined> {
  const output = await run(request, "get", serverOf(request.host));
  return output === undefined ? undefined : credentialOf(request, output);
}

/** Runs `docker-credential-NAME store`: the helper keeps the credential. Throws as `runCredentialHelper` does. */
export async function storeCredential(request: HelperRequest, credential: Credential): Promise<void> {
  const isBasic = credential.kind === "basic";
  const entry = {
    ServerURL: serverOf(request.host),
    Username: isBasic ? credential.username : TOKEN_USER,
    Secret: isBasic ? credential.password : credential.token,
  };
  await run(request, "store", JSON.stringify(entry));
}

/** Runs `docker-credential-NAME erase`. False when the helper held nothing. Throws as `runCredentialHelper` does. */
export async function eraseCredential(request: HelperRequest): Promise<boolean> {
  return (await run(request, "erase", serverOf(request.host))) !== undefined;
}

/** What the helper printed; `undefined` when it holds nothing. */
async function run(
  request: HelperRequest,
  action: "erase" | "get" | "store",
  stdin: string,
): Promise<string | undefined> {
  const program = programOf(request);
  const child = Bun.spawn([program, action], {
    env: { ...request.env },
    stdin: new Blob([stdin]),
    stdout: "pipe",
    stderr: "ignore",
    // A group of its own, so that what a hung helper waits for ends with it.
    detached: true,
  });
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), request.timeoutMs);
  try {
    const ended = await Promise.race([late.promise, outcomeOf(child)]);
    if (ended === "late") throw failed(request, `did not answer within ${request.timeoutMs} ms`);
    if (ended.output === undefined) throw failed(request, `printed more than ${MAX_OUTPUT_BYTES} bytes`);
    if (ended.exitCode === 0) return ended.output;
    if (ended.output.trim() === NOT_FOUND) return undefined;
    throw failed(request, `ended with exit code ${ended.exitCode}`);
  } finally {
    clearTimeout(timer);
    if (child.exitCode === null) killGroup(child.pid);
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // It ended just now.
  }
}

interface Outcome {
  /** Absent when it was too long. */
  readonly output: string | undefined;
  readonly exitCode: number;
}

async function outcomeOf(child: Bun.Subprocess<Blob, "pipe", "ignore">): Promise<Outcome> {
  const decoder = new TextDecoder();
  let output = "";
  let sizeBytes = 0;
  for await (const chunk of child.stdout) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > MAX_OUTPUT_BYTES) return { output: undefined, exitCode: 0 };
    output += decoder.decode(chunk, { stream: true });
  }
  return { output, exitCode: await child.exited };
}

/** A name is a part of a file's name and nothing else: a path in it would run any program. */
function programOf(request: HelperRequest): string {
  const { helper, env } = request;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(helper)) {
    throw new Failure({
      code: "CONFIG_INVALID",
      message: `the credential helper for ${request.host} has a name that is none`,
    });
  }
  const program = Bun.which(`docker-credential-${helper}`, { PATH: env["PATH"] ?? "" });
  if (program === null) throw failed(request, "is not on the PATH; install it, or use username and passwordFile");
  return program;
}

/** Docker Hub is known to docker and its helpers by the URL that docker has always logged in at. */
export function serverOf(host: RegistryHost): string {
  return host === dockerHub ? "https://index.docker.io/v1/" : host;
}

function credentialOf(request: HelperRequest, output: string): Credential | undefined {
  const answer = parseAnswer(output);
  if (answer === undefined) throw failed(request, "printed no credential");
  const { username, secret } = answer;
  if (secret === "") return undefined;
  return username === TOKEN_USER
    ? { kind: "identity-token", token: secret }
    : { kind: "basic", username, password: secret };
}

function parseAnswer(output: string): { readonly username: string; readonly secret: string } | undefined {
  try {
    const answer: unknown = JSON.parse(output);
    if (typeof answer !== "object" || answer === null || !("Username" in answer) || !("Secret" in answer))
      return undefined;
    const { Username: username, Secret: secret } = answer;
    return typeof username === "string" && typeof secret === "string" ? { username, secret } : undefined;
  } catch {
    return undefined;
  }
}

function failed({ helper, host }: HelperRequest, what: string): Failure {
  return new Failure({ code: "CONFIG_INVALID", message: `docker-credential-${helper}, asked for ${host}, ${what}` });
}
