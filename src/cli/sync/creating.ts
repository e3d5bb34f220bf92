import { s3CredentialSource } from "../../config/s3-credentials.ts";
import type { ImageTarget } from "../../copy/ends.ts";
import { createEcrRepository } from "../../ecr/create.ts";
import { ecrPlaceOf } from "../../ecr/place.ts";
import { asFailure } from "../../errors/failure.ts";
import { creatingTarget } from "../../job/creating.ts";
import { parseHost } from "../../reference/host.ts";
import type { CopySession } from "../copy/session.ts";

/** Makes of targets some whose repository is created where their registry is one that wants that: Amazon ECR. */
export function creatingTargets({
  io,
  signal,
  view,
}: Pick<CopySession, "io" | "signal" | "view">): <T extends ImageTarget>(target: T) => T {
  const { env, readFile, clock } = io;
  const credentials = s3CredentialSource({ kind: "aws" }, { env, readFile, nowMs: () => clock.nowMs() });
  const world = { fetch: io.fetch, credentials, epochMs: () => clock.epochMs(), signal };
  return (target) => {
    const { place, name } = target;
    const host = place === undefined ? undefined : parseHost(place.registry);
    const ecr = host === undefined ? undefined : ecrPlaceOf(host, env["AWS_ENDPOINT_URL_ECR"]);
    if (place === undefined || ecr === undefined) return target;
    return creatingTarget(target, async () => {
      try {
        const made = await createEcrRepository(world, ecr, place.repository);
        if (made.kind === "created") view.note(`created ${name}`);
        return made.kind === "refused" ? made.reason : undefined;
      } catch (error) {
        return asFailure(error, "CONFIG_INVALID", "no AWS credential").message;
      }
    });
  };
}
