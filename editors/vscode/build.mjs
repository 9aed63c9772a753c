// usage: node build.mjs CHECKOUT WHEEL OUT.vsix
// Bundles the extension, puts the wheel, the licence and the names of families into it, and packs it.

import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { build } from "esbuild";
import { createVSIX } from "@vscode/vsce";

const [checkout, wheel, out] = process.argv.slice(2).map((item) => resolve(item));
if (out === undefined) {
  console.error("usage: node build.mjs CHECKOUT WHEEL OUT.vsix");
  process.exit(2);
}
const folder = join(checkout, "schemas/families");
const families = readdirSync(folder).sort().map((name) => {
  const schema = JSON.parse(readFileSync(join(folder, name), "utf-8"));
  return { name: schema["x-family"], title: schema.title, description: schema.description.split(". ")[0] };
});
rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");
await build({
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  bundle: true,
  minify: true,
  platform: "node",
  format: "cjs",
  target: "node18",
  external: ["vscode"],
  define: { FAMILIES: JSON.stringify(families) },
});
cpSync(wheel, join("dist", basename(wheel)));
cpSync(join(checkout, "LICENSE"), "LICENSE");
await createVSIX({ cwd: process.cwd(), packagePath: out, dependencies: false });
