// Commands of the palette and of the view; each is a request or a command of the server.

import * as vscode from "vscode";
import type { LanguageClient, Location, Range } from "vscode-languageclient/node";
import type { Connection, Connections } from "./connections";

declare const FAMILIES: { name: string; title: string; description: string }[];

/** What the doctor says of a connection. */
type Result = Pick<Connection, "family" | "alias"> & { ok: boolean; message: string; details: { cause?: string; remedy?: string } };

const OTHER = "A family of this project…";

/** Return the commands about connections by their names. */
export function commands(
  client: () => Promise<LanguageClient>,
  connections: Connections,
): Record<string, (chosen?: Connection) => Promise<unknown>> {
  const about = (act: (connection: Connection) => Promise<unknown>) => async (chosen?: Connection) => {
    const connection = chosen ?? (await pick(connections));
    return connection && act(connection);
  };
  const doctor = async (options: object) => {
    await client();
    await vscode.commands.executeCommand("osiris.connections.focus");
    tell((await vscode.commands.executeCommand<Result[] | undefined>("osiris.doctor", options)) ?? []);
  };
  return {
    "osiris.doctorAll": () => doctor({}),
    "osiris.doctorOne": about((connection) => doctor({ ids: [connection.id], uri: connection.uri })),
    "osiris.openConnection": about((connection) => open(connection.uri, connection.range)),
    "osiris.showUsages": about(async (connection) => {
      const found = await (await client()).sendRequest<Location[]>("osiris/usages", { id: connection.id });
      const range = toRange(connection.range);
      const places = found.map((place) => new vscode.Location(vscode.Uri.parse(place.uri), toRange(place.range)));
      return vscode.commands.executeCommand(
        "editor.action.showReferences", vscode.Uri.parse(connection.uri), range.start, places);
    }),
    "osiris.addConnection": async () => add(await client()),
  };
}

/** Return a text for a message: the editor makes links of `[…](command:…)`, and names come from files. */
export function plain(text: string): string {
  return text.replaceAll("](", "] (");
}

/** Say what the view cannot: why a connection was not checked, what to do where one fails. */
function tell(results: Result[]): void {
  const failed = results.filter((result) => !result.ok);
  const said = failed.slice(0, 3).map((result) => {
    const { cause, remedy } = result.details;
    return `@${result.family}.${result.alias}: ${[cause ?? result.message, remedy].filter(Boolean).join("; ")}`;
  });
  if (failed.length > said.length) {
    said.push(`and ${failed.length - said.length} more`);
  }
  if (failed.length) {
    void vscode.window.showWarningMessage(plain(said.join(". ")));
  }
}

async function pick(connections: Connections): Promise<Connection | undefined> {
  const rows = (await connections.list()).map((connection) => ({
    label: `@${connection.family}.${connection.alias}`,
    description: vscode.workspace.asRelativePath(vscode.Uri.parse(connection.uri)),
    connection,
  }));
  return (await vscode.window.showQuickPick(rows, { placeHolder: "Which connection?" }))?.connection;
}

async function add(client: LanguageClient): Promise<void> {
  const rows = FAMILIES.map((family) => ({ label: family.name, description: family.title, detail: family.description }));
  const row = await vscode.window.showQuickPick([...rows, { label: OTHER, description: "", detail: "" }], {
    placeHolder: "What does it connect to?",
    matchOnDescription: true,
  });
  const family = row?.label === OTHER ? await vscode.window.showInputBox({ prompt: "Name of the family" }) : row?.label;
  const alias = family && (await vscode.window.showInputBox({ prompt: `Alias: pipelines will say @${family}.ALIAS` }));
  if (!family || !alias) {
    return;
  }
  const uri = vscode.window.activeTextEditor?.document.uri;
  const near = uri?.scheme === "file" ? { uri: uri.toString() } : {};
  const added = await client.sendRequest<{ uri: string; range: Range }>("osiris/addConnection", { family, alias, ...near });
  await open(added.uri, added.range);
}

async function open(uri: string, range: Range): Promise<void> {
  await vscode.window.showTextDocument(vscode.Uri.parse(uri), { selection: toRange(range) });
}

function toRange(range: Range): vscode.Range {
  return new vscode.Range(range.start.line, range.start.character, range.end.line, range.end.character);
}
