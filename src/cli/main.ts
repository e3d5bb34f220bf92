import { Command } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { commands } from "./commands.ts";
import { loadFor } from "./lazy-command.ts";
import { setRuntimeVariables } from "./runtime-variables.ts";
import { exitOnUsage } from "./usage.ts";

/** The whole program, or as much of it as the words need. */
async function program(words: readonly string[]): Promise<Command> {
  const whole = new Command("periplus")
    .description("The front door to container images: redirector and pull-through cache for OCI registries.")
    .version(packageJson.version)
    .showHelpAfterError("(add --help for the options and examples)");
  for (const command of await loadFor(words, commands)) whole.addCommand(command);
  return whole;
}

/** Compiling pays for what runs long only: the first half second, in which most commands are over and servers start, is spared most of it. */
function compileLate(): void {
  Bun.unsafe.setJITPolicy(32);
  setTimeout(() => Bun.unsafe.setJITPolicy(1), 500).unref();
}

const [name] = process.argv.slice(2);
// Only what serves or fills a cache has so much under way; every other command starts once, and so in half the time.
if (name === "serve" || name === "cache") setRuntimeVariables((message) => process.stderr.write(`${message}\n`));
compileLate();
await exitOnUsage(await program(process.argv.slice(2)), (status) => process.exit(status)).parseAsync();
