import { registryEnd } from "../../copy/registry-end.ts";
import { thrownFailure } from "../../copy/failure.ts";
import { asFailure } from "../../errors/failure.ts";
import { repositoriesIn } from "../../fill/catalog.ts";
import { type FillImage, lostImage, type WantedImage } from "../../fill/image.ts";
import { parseHost } from "../../reference/host.ts";
import { linesOf } from "../cache/references.ts";
import type { CopyIo } from "../copy/io.ts";
import { usage } from "../copy/place.ts";
import type { CopySession } from "../copy/session.ts";

/** Which images are meant, as it was typed. */
export interface WantedFlags {
  readonly file?: readonly string[];
  readonly allTags?: boolean;
  readonly catalog?: readonly string[];
}

/** Images that can be asked for, and rows of those that cannot. */
export interface Wanted {
  readonly images: readonly WantedImage[];
  readonly lost: readonly FillImage[];
}

/** All that was given, looked at before anything starts. Throws a `Failure` that says everything that is typed wrongly. */
export async function wantedOf(session: CopySession, words: readonly string[], flags: WantedFlags): Promise<Wanted> {
  const { io } = session;
  const texts = (
    await Promise.all([...words.map((word) => wordOf(io, word)), ...(flags.file ?? []).map((file) => fileOf(io, file))])
  ).flat();
  const catalogs = (flags.catalog ?? []).map(catalogOf);
  if (texts.length + catalogs.length === 0) throw usage("no image is named; name some, or -f FILE, or --catalog HOST");
  const named = new Named();
  for (const text of texts) await named.add(text, () => one(session, text.text, flags.allTags === true));
  if (named.problems.length > 0) throw usage(named.problems.join("\n"));
  const listed = await Promise.all(catalogs.map((catalog) => everyRepository(session, catalog)));
  return {
    images: [...named.images, ...listed.flatMap(({ images }) => images)],
    lost: [...named.lost, ...listed.flatMap(({ lost }) => lost)],
  };
}

interface Text {
  /** `images.txt:3`; nothing for the command line. */
  readonly place: string | undefined;
  readonly text: string;
}

class Named {
  readonly images: WantedImage[] = [];
  readonly lost: FillImage[] = [];
  readonly problems: string[] = [];

  /** What is typed wrongly is a problem; a folder or an archive that cannot be opened has its row. */
  async add({ place, text }: Text, find: () => Promise<WantedImage>): Promise<void> {
    try {
      this.images.push(await find());
    } catch (error) {
      const failure = asFailure(error, "STORAGE_FAILED", `reading ${text}`);
      if (failure.code === "USAGE") this.problems.push(`${place === undefined ? "" : `${place}: `}${failure.message}`);
      else this.lost.push(lostImage(text, thrownFailure(failure)));
    }
  }
}

async function one({ places }: CopySession, text: string, isEveryTag: boolean): Promise<WantedImage> {
  if (isEveryTag) return { source: (await places.repository(text)).source, reference: "every tag" };
  const { source, reference } = await places.source(text);
  return { source, reference };
}

async function wordOf(io: CopyIo, word: string): Promise<readonly Text[]> {
  return word === "-" ? await fileOf(io, word) : [{ place: undefined, text: word }];
}

async function fileOf(io: CopyIo, name: string): Promise<readonly Text[]> {
  try {
    return name === "-" ? linesOf("stdin", await io.readStdin()) : linesOf(name, await io.readFile(name));
  } catch (error) {
    throw usage(`${name}: cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

interface Catalog {
  readonly text: string;
  readonly host: NonNullable<ReturnType<typeof parseHost>>;
  readonly below: string;
}

function catalogOf(text: string): Catalog {
  const slash = text.indexOf("/");
  const host = parseHost(slash < 0 ? text : text.slice(0, slash));
  if (host === undefined) throw usage(`${JSON.stringify(text)} is no registry; write HOST or HOST/PATH`);
  return { text, host, below: slash < 0 ? "" : text.slice(slash + 1).replace(/\/$/, "") };
}

async function everyRepository({ parts, registries }: CopySession, { text, host, below }: Catalog): Promise<Wanted> {
  const [registry, { path }] = [await registries.of(host), await registries.upstream(host)];
  const answer = await repositoriesIn(parts.asking, { registry, path, below });
  switch (answer.kind) {
    case "found":
      return {
        images: answer.repositories.map((repository) => {
          return { source: registryEnd(registry, repository), reference: "every tag" };
        }),
        lost: [],
      };
    case "absent": {
      const message = `${host} has no list of its repositories; name them, with --all-tags`;
      return { images: [], lost: [lostImage(text, { kind: "absent", side: "source", message })] };
    }
    case "unavailable":
      return { images: [], lost: [lostImage(text, { kind: answer.reason, side: "source", message: answer.message })] };
  }
}
