import type { ImageTarget } from "../copy/ends.ts";
import type { Unavailable } from "../registry/remote.ts";

/** Makes a repository; why it cannot, or nothing. */
export type CreateRepository = () => Promise<string | undefined>;

/**
 * A repository that is created when a push says that there is none, once, and pushed to again. Its registry must say so by
 * `NAME_UNKNOWN`. OCI distribution spec, "Error Codes".
 */
export function creatingTarget<T extends ImageTarget>(end: T, create: CreateRepository): T {
  let creating: Promise<string | undefined> | undefined;
  const created = async (refusal: Unavailable): Promise<Unavailable | undefined> => {
    creating ??= create();
    const reason = await creating;
    return reason === undefined
      ? undefined
      : { ...refusal, message: `${refusal.message}; it cannot be created: ${reason}` };
  };
  return {
    ...end,
    async pushBlob(blob, limits) {
      const pushed = await end.pushBlob(blob, limits);
      if (!isUnknown(pushed)) return pushed;
      return (await created(pushed)) ?? (await end.pushBlob(blob, limits));
    },
    async putManifest(reference, manifest, limits) {
      const put = await end.putManifest(reference, manifest, limits);
      if (!isUnknown(put)) return put;
      return (await created(put)) ?? (await end.putManifest(reference, manifest, limits));
    },
  };
}

function isUnknown(answer: { readonly kind: string } | Unavailable): answer is Unavailable {
  return answer.kind === "unavailable" && "code" in answer && answer.code === "NAME_UNKNOWN";
}
