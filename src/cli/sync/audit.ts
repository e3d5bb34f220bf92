import { Command } from "commander";
import { formatProblem } from "../../config/problem.ts";
import { Failure } from "../../errors/failure.ts";
import { audit } from "../../job/audit.ts";
import { Ends, type Registries } from "../../job/ends.ts";
import { commandEntry } from "../../sync/command-entry.ts";
import type { SyncEntry } from "../../sync/plan-input.ts";
import type { CopyIo } from "../copy/io.ts";
import { type ReadFlags, withReadOptions } from "../copy/options.ts";
import { type CopySession, withSession } from "../copy/session.ts";
import { exitStatus } from "../exit.ts";
import { showAudit, statusOfAudit } from "./audit-text.ts";
import { type FileFlags, withFileOptions } from "./file-flags.ts";
import { readSyncFile } from "./read-file.ts";
import { showProblems } from "./plan-text.ts";
import { FileRegistries } from "./registries.ts";

interface AuditFlags extends FileFlags, ReadFlags {}

const examples = `
Examples:
  periplus audit -f sync.yaml                                                every image of a sync file at each of its targets
  periplus audit registry.k8s.io/pause registry.example/k8s/pause eu.example/k8s/pause
  periplus audit registry.k8s.io/pause:3.10 registry.example/k8s/pause       one image
  periplus audit -f sync.yaml -o json | jq 'select(.state != "same")'

Compared are digests, and by digest what refers to an image: signatures, attestations, SBOMs, of the referrers list and of cosign's
tags. Writes nothing. States: same, differs, missing, extra (no source has the tag), signatures missing, signatures differ,
no source, refused, unknown.
Exit status: 0 all is the same, 1 refused, 2 typed wrongly, 3 drift, 4 a source is missing, 5 something could not be found out.
Where several hold: 1, then 5, 4, 3.
`;

/** `periplus audit`: whether targets have what their sources have, signatures too. */
export function auditCommand(io: CopyIo): Command {
  const command = new Command("audit")
    .description("Say how images and their signatures stand at all their targets; writes nothing.")
    .argument("[src]", "a repository or an image")
    .argument("[targets...]", "where it should be: HOST/REPOSITORY, or HOST/PATH/**");
  return withFileOptions(withReadOptions(command))
    .addHelpText("after", examples)
    .action((from: string | undefined, targets: readonly string[], flags: AuditFlags) =>
      withSession(io, flags, async (session) => {
        const { entries, registries } = await audited(session, { from, targets }, flags);
        const { parts, view } = session;
        const world = { parts, ends: new Ends(registries), epochMs: () => io.clock.epochMs() };
        const found = await audit(world, entries);
        if (found.problems.length === 0) showAudit(view, found);
        else showProblems(view, found);
        return found.problems.length === 0 ? statusOfAudit(found) : exitStatus.failed;
      }),
    );
}

interface Audited {
  readonly entries: readonly SyncEntry[];
  readonly registries: Registries;
}

async function audited(
  { io, view, registries }: CopySession,
  { from, targets }: { readonly from: string | undefined; readonly targets: readonly string[] },
  flags: AuditFlags,
): Promise<Audited> {
  if (flags.file !== undefined && from === undefined) {
    const input = await readSyncFile(io, view, flags);
    return { entries: input.entries, registries: new FileRegistries(io, input, flags.insecure === true) };
  }
  if (flags.file !== undefined || from === undefined || targets.length === 0)
    throw new Failure({ code: "USAGE", message: "name a source and its targets, or a sync file with -f" });
  const named: Registries = {
    of: (host) => registries.of(host),
    pathOf: async (host) => (await registries.upstream(host)).path,
  };
  return { entries: targets.map((to) => entryOf(from, to)), registries: named };
}

function entryOf(from: string, to: string): SyncEntry {
  const made = commandEntry({ from, to });
  if (made.kind === "entry") return made.entry;
  throw new Failure({ code: "USAGE", message: made.problems.map(formatProblem).join("\n") });
}
