import { Command } from "commander";
import type { Credential } from "../../config/credential.ts";
import { forgetLogin, keepLogin, type LoginWorld } from "../../config/docker-login.ts";
import { Failure } from "../../errors/failure.ts";
import { parseHost, type RegistryHost } from "../../reference/host.ts";
import { checkAccess } from "../../registry/client.ts";
import { exitStatus } from "../exit.ts";
import type { CopyIo } from "./io.ts";
import type { ReachFlags } from "./registries.ts";
import { replaceFile } from "./replace-file.ts";
import { type CopySession, withSession } from "./session.ts";

interface LoginFlags extends ReachFlags {
  readonly username?: string;
  readonly passwordStdin?: boolean;
}

const examples = `
Examples:
  periplus login registry.example -u robot --password-stdin < token.txt
  periplus login docker.io                                          asks for user and password
  periplus logout registry.example

The login is tried at the registry first. It is kept as docker keeps it: by the credential helper that ~/.docker/config.json
names, else in that file, which only its owner can read. docker, podman and others use it as well, and the other way round.
`;

/** `periplus login`: tries a login and keeps it where docker does. */
export function loginCommand(io: CopyIo): Command {
  return new Command("login")
    .description("Try a login at a registry, and keep it as docker does.")
    .argument("<host>", "the registry")
    .option("-u, --username <user>", "user name")
    .option("--password-stdin", "read the password from standard input")
    .option("--config <file>", "configuration file (YAML) whose upstreams say how registries are reached")
    .option("--insecure", "plain HTTP, or a certificate that is not checked")
    .addHelpText("after", examples)
    .action((text: string, flags: LoginFlags) => withSession(io, flags, (session) => login(session, text, flags)));
}

/** `periplus logout`: forgets a login, of whichever program. */
export function logoutCommand(io: CopyIo): Command {
  return new Command("logout")
    .description("Forget the login at a registry.")
    .argument("<host>", "the registry")
    .addHelpText("after", examples)
    .action((text: string) =>
      withSession(io, {}, async ({ view }) => {
        const host = hostOf(text);
        const wasThere = await forgetLogin(host, worldOf(io));
        view.note(wasThere ? `the login at ${host} is forgotten` : `there was no login at ${host}`);
        return exitStatus.clean;
      }),
    );
}

async function login({ io, view, registries, signal }: CopySession, text: string, flags: LoginFlags): Promise<number> {
  const host = hostOf(text);
  const credential = await credentialOf(io, flags);
  const upstream = await registries.upstream(host);
  let isAsked = false;
  const credentials = (): Promise<Credential> => {
    isAsked = true;
    return Promise.resolve(credential);
  };
  const answer = await checkAccess({ upstream, credentials }, { signal, timeoutMs: 30_000 });
  if (answer.kind === "absent")
    throw new Failure({ code: "UPSTREAM_FAILED", message: `${host} is no registry: it has no /v2/` });
  if (answer.kind === "unavailable") throw new Failure({ code: "UPSTREAM_DENIED", message: answer.message });
  const { place } = await keepLogin(host, credential, worldOf(io));
  view.note(isAsked ? `logged in at ${host}` : `${host} asks for no login: this one was not tried`);
  view.note(`kept by ${place}`);
  return exitStatus.clean;
}

async function credentialOf(io: CopyIo, { username, passwordStdin }: LoginFlags): Promise<Credential> {
  const { prompt } = io;
  if (passwordStdin === true) {
    if (username === undefined) throw usage("--password-stdin goes with --username");
    return basic(username, (await io.readStdin()).replace(/\r?\n$/, ""));
  }
  if (prompt === undefined) throw usage("nobody can be asked here: give --username and --password-stdin");
  const user = username ?? (await prompt("User name: ", "shown"));
  return basic(user, await prompt(`Password of ${user}: `, "hidden"));
}

function basic(username: string, password: string): Credential {
  if (username === "" || password === "") throw usage("user name and password must not be empty");
  if (username.includes(":")) throw usage("a user name has no colon");
  return { kind: "basic", username, password };
}

function worldOf({ env, readFile }: CopyIo): LoginWorld {
  return { env, readFile, replaceFile, helperTimeoutMs: 30_000 };
}

function hostOf(text: string): RegistryHost {
  const host = parseHost(text.replace(/^https?:\/\//, "").replace(/\/$/, ""));
  if (host === undefined) throw usage(`${JSON.stringify(text)} is no registry's host`);
  return host;
}

function usage(message: string): Failure {
  return new Failure({ code: "USAGE", message });
}
