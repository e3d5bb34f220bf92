import { Command } from "commander";
import type { Platform } from "../../reference/platform.ts";
import type { CopyIo } from "./io.ts";
import { parsePlatformOption, type ReadFlags, withReadOptions } from "./options.ts";
import { manifestAt } from "./reading.ts";
import { withSession } from "./session.ts";

interface OneFlags extends ReadFlags {
  readonly platform?: Platform;
}

const digestExamples = `
Examples:
  periplus digest registry.k8s.io/pause:3.10
  periplus digest registry.k8s.io/pause:3.10 --platform linux/arm64
  periplus digest oci:images:1.0
`;

/** `periplus digest`: what a tag stands for. */
export function digestCommand(io: CopyIo): Command {
  const command = new Command("digest")
    .description("Print the digest of an image, or of one platform of it.")
    .argument("<ref>", "the image")
    .option("--platform <os/arch[/variant]>", "the manifest of this platform", parsePlatformOption);
  return withReadOptions(command)
    .addHelpText("after", digestExamples)
    .action((text: string, flags: OneFlags) =>
      withSession(io, flags, async (session) => {
        const place = await session.places.source(text);
        const { digest, mediaType } = await manifestAt(session, place, flags.platform);
        session.view.result(session.view.isJson ? JSON.stringify({ reference: text, digest, mediaType }) : digest);
        return 0;
      }),
    );
}

const manifestExamples = `
Examples:
  periplus manifest registry.k8s.io/pause:3.10 | jq .
  periplus manifest registry.k8s.io/pause:3.10 --platform linux/arm64
  periplus manifest registry.k8s.io/pause:3.10 | sha256sum          its digest: the bytes are printed as they are
`;

/** `periplus manifest`: the bytes that a digest is of. */
export function manifestCommand(io: CopyIo): Command {
  const command = new Command("manifest")
    .description("Print the manifest or index of an image, byte for byte.")
    .argument("<ref>", "the image")
    .option("--platform <os/arch[/variant]>", "the manifest of this platform", parsePlatformOption);
  return withReadOptions(command)
    .addHelpText("after", manifestExamples)
    .action((text: string, flags: OneFlags) =>
      withSession(io, flags, async (session) => {
        const { bytes } = await manifestAt(session, await session.places.source(text), flags.platform);
        io.stdout(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
        return 0;
      }),
    );
}
