import { namedPlace } from "../../config/fill-place.ts";
import { loadSettings } from "../../config/load.ts";
import { formatProblem } from "../../config/problem.ts";
import { s3CredentialSource } from "../../config/s3-credentials.ts";
import type { FillPlace } from "../../config/settings.ts";
import { Failure } from "../../errors/failure.ts";
import { folderTarget } from "../../fill/folder-target.ts";
import { s3Target } from "../../fill/s3-target.ts";
import type { BlobTarget } from "../../fill/target.ts";
import { createS3Bucket } from "../../s3/client.ts";
import type { CopyIo } from "../copy/io.ts";
import { usage } from "../copy/place.ts";

/** Which places are filled, as it was typed. */
export interface TargetFlags {
  readonly to?: readonly string[];
  readonly config?: string;
}

/** The places that are named, else those of the configuration file's buckets that say where they are filled. */
export async function targetsOf(io: CopyIo, { to = [], config }: TargetFlags): Promise<readonly BlobTarget[]> {
  const places = to.length > 0 ? to.map((text) => typedPlace(io, text)) : await configuredPlaces(io, config);
  const targets = places.map((place) => targetAt(io, place));
  const shared = [...Map.groupBy(targets, ({ target }) => target.name).values()].filter(({ length }) => length > 1);
  for (const [first, ...others] of shared) {
    if (others.some(({ where }) => where === first?.where)) {
      throw usage(`${first?.target.name} is named twice as a place to fill`);
    }
  }
  const ambiguous = new Set(shared.flat());
  return targets.map((one) => (ambiguous.has(one) ? withPlace(one) : one.target));
}

function withPlace({ target, where }: Placed): BlobTarget {
  return { ...target, name: `${target.name} at ${where}` };
}

function typedPlace({ env, cwd }: CopyIo, text: string): FillPlace {
  const place = namedPlace(text, { env, cwd });
  if (place.kind === "refused") throw usage(`${JSON.stringify(text)} is no place to fill: ${place.reason}`);
  return place;
}

async function configuredPlaces({ env, cwd, readFile }: CopyIo, file?: string): Promise<readonly FillPlace[]> {
  if (file === undefined)
    throw usage("nothing is named to fill; add --to s3://BUCKET/PREFIX?region=REGION, or --config");
  const loaded = await loadSettings({ file, env, cwd, readFile });
  if (loaded.kind === "invalid") {
    throw new Failure({ code: "CONFIG_INVALID", message: loaded.problems.map(formatProblem).join("\n") });
  }
  const places = loaded.settings.redirect.buckets.flatMap(({ fill }) => fill ?? []);
  if (places.length === 0)
    throw usage(`no bucket of ${file} says where it is filled; add redirect.buckets[].fill, or --to`);
  return places;
}

interface Placed {
  readonly target: BlobTarget;
  /** What tells buckets of one name apart. */
  readonly where: string;
}

function targetAt({ clock, env, readFile }: CopyIo, place: FillPlace): Placed {
  if (place.kind === "files") return { target: folderTarget(place.folder, () => clock.epochMs()), where: "" };
  const { bucket: settings } = place;
  const credentials = s3CredentialSource(settings.credentials, { env, readFile, nowMs: () => clock.nowMs() });
  const bucket = createS3Bucket({ settings, credentials, clock });
  return { target: s3Target(bucket, clock), where: settings.endpoint };
}
