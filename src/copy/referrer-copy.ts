import type { Digest } from "../reference/digest.ts";
import type { Tag } from "../reference/repository.ts";
import { nameAt } from "./pair.ts";
import type { Referrer } from "./referrers.ts";
import type { ReferrersLists } from "./referrers-list.ts";
import { type Put, TreeCopy, type TreeCopyParts } from "./tree-copy.ts";
import type { ImageTree, TreeNode } from "./tree.ts";

/** What referrers are copied with. */
export interface ReferrerCopyParts extends TreeCopyParts {
  readonly lists: ReferrersLists;
  readonly mayOverwrite: boolean;
}

/** Copies what refers to an image. What the target does not take is missed, in words, and stops nothing else. */
export class ReferrerCopy {
  readonly #parts: ReferrerCopyParts;

  constructor(parts: ReferrerCopyParts) {
    this.#parts = parts;
  }

  /** Brings one referrer; why it is not there, or nothing. */
  async bring({ tree, tag }: Referrer): Promise<string | undefined> {
    const node = tree.nodes.get(tree.root);
    if (node === undefined) return undefined;
    const problem = await (tag === undefined ? this.#byDigest(tree, node) : this.#byTag(tree, node, tag));
    if (problem === undefined) this.#parts.figures.referrers++;
    return problem;
  }

  async #byTag(tree: ImageTree, node: TreeNode, tag: Tag): Promise<string | undefined> {
    const { target, asking, mayOverwrite, figures } = this.#parts;
    const head = await asking.ask(target, (limits) => target.headManifest(tag, limits));
    if (head.kind === "found" && head.digest === tree.root) {
      figures.manifests.there++;
      return undefined;
    }
    if (head.kind === "found" && !mayOverwrite)
      return `${nameAt(target, tag)} stands for something else and is left so`;
    const copy = new TreeCopy(this.#parts);
    const put: Put = (await copy.below(tree)) ? await copy.name(node.body, tag) : { kind: "failed" };
    return await this.#listed(copy, tag, put, node);
  }

  async #byDigest(tree: ImageTree, node: TreeNode): Promise<string | undefined> {
    const copy = new TreeCopy(this.#parts);
    return await this.#listed(copy, tree.root, await copy.put(tree, tree.root), node);
  }

  async #listed(copy: TreeCopy, name: Tag | Digest, put: Put, node: TreeNode): Promise<string | undefined> {
    const { target, lists } = this.#parts;
    if (put.kind === "failed") {
      const reason = copy.failures[0]?.message ?? "its parts could not be brought";
      return `its referrer ${nameAt(target, name)} is not there: ${reason}`;
    }
    const subject = node.document.subject?.digest;
    if (subject === undefined || (await this.#isListed(put, subject, node))) return undefined;
    const problem = await lists.add(target, subject, node.body);
    return problem && `its referrer ${nameAt(target, name)} is there and in no list: ${problem}`;
  }

  /** Whether the target keeps the list itself, or has it in it from before. */
  async #isListed(put: Put, subject: Digest, { body }: TreeNode): Promise<boolean> {
    if (put.kind === "put") return put.pushed.subject !== undefined;
    const { target, asking } = this.#parts;
    const list = await asking.ask(target, (limits) => target.listReferrers(subject, limits));
    return list.kind === "found" && list.referrers.some(({ digest }) => digest === body.digest);
  }
}
