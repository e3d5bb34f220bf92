import { s3CredentialSource } from "../../config/s3-credentials.ts";
import { createEcrRepository } from "../../ecr/create.ts";
import { ecrPlaceOf } from "../../ecr/place.ts";
import { asFailure } from "../../errors/failure.ts";
import { creatingEnd } from "../../job/creating.ts";
import type { Finish } from "../../job/ends.ts";
import type { CopySession } from "../copy/session.ts";

/** Ends of repositories that are created where their registry is one that wants that: Amazon ECR. */
export function creatingEnds({ io, signal, view }: Pick<CopySession, "io" | "signal" | "view">): Finish {
  const { env, readFile, clock } = io;
  const credentials = s3CredentialSource({ kind: "aws" }, { env, readFile, nowMs: () => clock.nowMs() });
  const world = { fetch: io.fetch, credentials, epochMs: () => clock.epochMs(), signal };
  return (end, host, repository) => {
    const place = ecrPlaceOf(host, env["AWS_ENDPOINT_URL_ECR"]);
    if (place === undefined) return end;
    return creatingEnd(end, async () => {
      try {
        const made = await createEcrRepository(world, place, repository);
        if (made.kind === "refused") return made.reason;
        if (made.kind === "created") view.note(`created ${end.name}`);
        return undefined;
      } catch (error) {
        return asFailure(error, "CONFIG_INVALID", "no AWS credential").message;
      }
    });
  };
}
