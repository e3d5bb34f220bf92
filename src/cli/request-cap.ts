import { dlopen, FFIType, ptr } from "bun:ffi";

const variable = "BUN_CONFIG_MAX_HTTP_REQUESTS";
const cap = "65336";

/**
 * Lifts the runtime's cap of 256 requests in flight for the whole process: hung requests to one upstream would starve
 * every other. The runtime reads the variable before the program's first line, so the program replaces itself by itself
 * (`execv`, same process) with it set. Where that cannot be done it goes on as it is and says so. `bin/periplus` sets the
 * variable, so this is for the single binary; it may go when the runtime has an option for it.
 */
export function liftRequestCap(say: (message: string) => void): void {
  if (process.env[variable] !== undefined) return;
  try {
    replaceProcess(ownCommand(), { name: variable, value: cap });
  } catch (error) {
    say(`set ${variable}=${cap}: without it 256 requests to upstreams at once are the most (${String(error)})`);
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
  { name, value }: { readonly name: string; readonly value: string },
): void {
  const library = dlopen(process.platform === "darwin" ? "libSystem.B.dylib" : "libc.so.6", {
    setenv: { args: [FFIType.cstring, FFIType.cstring, FFIType.int], returns: FFIType.int },
    execv: { args: [FFIType.cstring, FFIType.ptr], returns: FFIType.int },
  });
  const texts = argv.map((text) => Buffer.from(`${text}\0`));
  const pointers = new BigUint64Array([...texts.map((text) => BigInt(ptr(text))), 0n]);
  library.symbols.setenv(Buffer.from(`${name}\0`), Buffer.from(`${value}\0`), 1);
  library.symbols.execv(Buffer.from(`${argv[0]}\0`), pointers);
  throw new Error("execv failed");
}
