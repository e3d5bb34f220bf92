import { dlopen, FFIType, ptr } from "bun:ffi";

/**
 * What the runtime reads from the environment before a program's first line. Without the first, 256 requests in flight are the
 * most for the whole process, and hung requests to one upstream would starve every other. The second is how much memory it
 * believes the machine has: by the real figure it lets garbage pile up to twice what is in use. `bin/periplus` sets the same.
 */
export const runtimeVariables: Readonly<Record<string, string>> = {
  BUN_CONFIG_MAX_HTTP_REQUESTS: "65336",
  BUN_JSC_forceRAMSize: "536870912",
};

/**
 * Sets what is not set already, for which the program replaces itself by itself (`execv`, same process). Where that cannot be
 * done it goes on as it is and says so. It may go when the runtime has options for it.
 */
export function setRuntimeVariables(say: (message: string) => void): void {
  const missing = Object.entries(runtimeVariables).filter(([name]) => process.env[name] === undefined);
  if (missing.length === 0) return;
  try {
    replaceProcess(ownCommand(), missing);
  } catch (error) {
    const wanted = missing.map((pair) => pair.join("=")).join(" ");
    say(`set ${wanted} for more than 256 requests to upstreams at once, and less memory (${String(error)})`);
  }
}

/**
 * The command line that this process was started with. In the single binary the arguments begin after the program's own
 * place in it; else the module's path is one of them.
 */
export function ownCommand(): readonly string[] {
  const isBinary = Bun.main.includes("/$bunfs/");
  return [process.execPath, ...process.argv.slice(isBinary ? 2 : 1)];
}

/** Does not return when it succeeds. */
function replaceProcess(
  argv: readonly string[],
  environment: readonly (readonly [name: string, value: string])[],
): void {
  const library = dlopen(process.platform === "darwin" ? "libSystem.B.dylib" : "libc.so.6", {
    setenv: { args: [FFIType.cstring, FFIType.cstring, FFIType.int], returns: FFIType.int },
    execv: { args: [FFIType.cstring, FFIType.ptr], returns: FFIType.int },
  });
  const texts = argv.map((text) => Buffer.from(`${text}\0`));
  const pointers = new BigUint64Array([...texts.map((text) => BigInt(ptr(text))), 0n]);
  for (const [name, value] of environment)
    library.symbols.setenv(Buffer.from(`${name}\0`), Buffer.from(`${value}\0`), 1);
  library.symbols.execv(Buffer.from(`${argv[0]}\0`), pointers);
  throw new Error("execv failed");
}
