import { Command } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { cacheCommand } from "./cache/command.ts";
import { configCommand } from "./config.ts";
import { imageCommands } from "./copy/command.ts";
import { liftRequestCap } from "./request-cap.ts";
import { serveCommand } from "./serve/command.ts";
import { exitOnUsage } from "./usage.ts";

const isServer: ReadonlySet<string> = new Set(["serve", "cache"]);

/** The whole program. Each command is a file; this one only puts them together. */
function program(): Command {
  const commands = new Command("periplus")
    .description("The front door to container images: redirector and pull-through cache for OCI registries.")
    .version(packageJson.version)
    .addCommand(serveCommand())
    .addCommand(cacheCommand())
    .addCommand(configCommand())
    .showHelpAfterError("(add --help for the options and examples)")
    // Only what serves or fills a cache has so many requests in flight; other commands start once, and so in half the time.
    .hook("preSubcommand", (_, command) => {
      if (isServer.has(command.name())) liftRequestCap((message) => process.stderr.write(`${message}\n`));
    });
  for (const command of imageCommands()) commands.addCommand(command);
  return commands;
}

await exitOnUsage(program(), (status) => process.exit(status)).parseAsync();
