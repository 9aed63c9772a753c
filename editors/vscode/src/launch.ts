// Which program serves: the first that there is, in the order that the README gives.

import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const WINDOWS = process.platform === "win32";

/** How to start the server, and why this way. */
export interface Launch {
  command: string;
  args: string[];
  reason: string;
}

/** What the choice depends on; `selected` is the interpreter of the Python extension. */
export interface Places {
  trusted: boolean;
  path: string;
  interpreter: string;
  selected: string | undefined;
  wheels: string;
  storage: string;
  log: (line: string) => void;
}

/** Return how to start the server; the error of a failure says what to do. */
export async function choose(places: Places): Promise<Launch> {
  if (!places.trusted) {
    return bundled(places);
  }
  if (places.path) {
    if (!existsSync(places.path)) {
      throw new Error(`\`osiris.path\` is ${places.path}, which does not exist; correct or clear the setting`);
    }
    return { command: places.path, args: ["server"], reason: "setting osiris.path" };
  }
  const pythons: [string | undefined, string][] = [
    [places.interpreter, "setting osiris.interpreter"],
    [places.selected, "interpreter of the Python extension"],
  ];
  for (const [python, reason] of pythons) {
    if (python && (await has(python, "import osiris_lsp"))) {
      return { command: python, args: ["-P", "-m", "osiris_lsp", "server"], reason };
    }
    if (python) {
      places.log(`${reason}: ${python} has no osiris_lsp`);
    }
  }
  try {
    return await bundled(places);
  } catch (error) {
    const found = onPath("osiris-lsp");
    if (!found) {
      throw error;
    }
    places.log(`${error instanceof Error ? error.message : error}`);
    return { command: found, args: ["server"], reason: "PATH" };
  }
}

/** Return the server of an environment of our own, which is made when it is missing. */
async function bundled(places: Places): Promise<Launch> {
  const wheel = readdirSync(places.wheels).find((name) => name.endsWith(".whl"));
  if (!wheel) {
    throw new Error("this extension was built without a wheel; set `osiris.path`");
  }
  const folder = path.join(places.storage, wheel.replace(/\.whl$/, ""));
  const python = path.join(folder, WINDOWS ? "Scripts/python.exe" : "bin/python");
  const done = path.join(folder, "complete");
  if (!existsSync(done) || !(await has(python, "import osiris_lsp"))) {
    await make(folder, python, path.join(places.wheels, wheel), places);
    await writeFile(done, "");
  }
  return { command: python, args: ["-I", "-m", "osiris_lsp", "server"], reason: "environment of this extension" };
}

async function make(folder: string, python: string, wheel: string, places: Places): Promise<void> {
  const base = places.interpreter || places.selected;
  const candidates = places.trusted && base ? [base] : [];
  candidates.push(...["python3", "python", "py"].map((name) => onPath(name)).filter((item) => item !== undefined));
  let maker: string | undefined;
  for (const candidate of candidates) {
    if (await has(candidate, "import sys, venv; sys.exit(sys.version_info < (3, 11))")) {
      maker = candidate;
      break;
    }
  }
  if (!maker) {
    throw new Error("no Python 3.11 or newer with `venv` was found; install one, or name it in `osiris.interpreter`");
  }
  await rm(folder, { recursive: true, force: true });
  await mkdir(places.storage, { recursive: true });
  places.log(`makes ${folder} with ${maker}`);
  try {
    await run(maker, ["-I", "-m", "venv", folder]);
    await run(python, ["-I", "-m", "pip", "install", "--disable-pip-version-check", "--quiet", wheel]);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    places.log(error instanceof Error ? error.message : String(error));
    throw new Error(
      "the environment of the server could not be made, for its first start needs PyPI; offline, " +
        "install `osiris-lsp` from a package index that you reach and set `osiris.path`, then run `Osiris: Restart Server`",
    );
  }
}

/** Tell whether a Python runs a line of code; nothing of the current folder is imported. */
async function has(python: string, code: string): Promise<boolean> {
  try {
    await run(python, ["-P", "-c", code], { timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

/** Return the first program of that name in an absolute folder of `PATH`. */
function onPath(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter((item) => path.isAbsolute(item));
  return folders.map((folder) => path.join(folder, WINDOWS ? `${name}.exe` : name)).find((file) => existsSync(file));
}
