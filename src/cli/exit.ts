/** The exit status of every command. Where several hold, the order is: usage, failed, incomplete, replacement, findings. */
export const exitStatus = {
  clean: 0,
  failed: 1,
  usage: 2,
  /** Findings or drift. */
  findings: 3,
  /** A replacement is missing or differs. */
  replacement: 4,
  /** Something could not be read, so the answer is incomplete. */
  incomplete: 5,
} as const;
