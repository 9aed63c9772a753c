// Starts the server, again when what it was chosen by changes, and joins it to the editor.

import type { PythonExtension } from "@vscode/python-extension";
import * as vscode from "vscode";
import {
  LanguageClient, type Location, type Position, RevealOutputChannelOn, type ServerCapabilities, State,
} from "vscode-languageclient/node";
import { commands, plain } from "./commands";
import { Connections, type Connection } from "./connections";
import { choose, type Launch } from "./launch";
import { Status } from "./status";

const REFERENCES = "editor.action.showReferences";
const DOCTOR = "osiris.doctor";
const REDRAW = 30_000;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("Osiris", { log: true });
  const osiris = new Osiris(context, output, new Status(context));
  context.subscriptions.push(output, osiris);
  await osiris.start();
}

/** The one server of a window. */
class Osiris implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private launch: Launch | undefined;
  private follows: vscode.Disposable | undefined;
  private pending: Promise<void> = Promise.resolve();
  private readonly connections: Connections;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly output: vscode.LogOutputChannel,
    private readonly status: Status,
  ) {
    this.connections = new Connections(async () =>
      this.client?.state === State.Running ? this.client.sendRequest<Connection[]>("osiris/connections", {}) : [],
    );
    const view = vscode.window.createTreeView("osiris.connections", { treeDataProvider: this.connections });
    const timer = setInterval(() => view.visible && this.connections.redraw(), REDRAW);
    const register = (name: string, act: (...args: never[]) => unknown) =>
      context.subscriptions.push(vscode.commands.registerCommand(name, act));
    for (const [name, act] of Object.entries(commands(() => this.running(), this.connections))) {
      register(name, (chosen?: Connection) => this.told(act(chosen)));
    }
    register("osiris.restart", () => this.start());
    register("osiris.showLogs", () => output.show());
    register("osiris.showDebugInformation", () => this.debug());
    context.subscriptions.push(
      view,
      new vscode.Disposable(() => clearInterval(timer)),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.start()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("osiris.path") || event.affectsConfiguration("osiris.interpreter")) {
          void this.start();
        }
      }),
    );
  }

  /** Start the server, or another one in its place; starts happen one after the other. */
  start(): Promise<void> {
    this.pending = this.pending.then(() => this.replace());
    return this.pending;
  }

  dispose(): Promise<void> | undefined {
    this.follows?.dispose();
    return this.client?.dispose();
  }

  private async replace(): Promise<void> {
    this.status.starting();
    try {
      await this.client?.dispose();
      this.client = undefined;
      const settings = vscode.workspace.getConfiguration("osiris");
      const trusted = vscode.workspace.isTrusted;
      this.launch = await choose({
        trusted,
        path: settings.get("path", ""),
        interpreter: settings.get("interpreter", ""),
        selected: trusted ? await this.selected() : undefined,
        wheels: this.context.asAbsolutePath("dist"),
        storage: this.context.globalStorageUri.fsPath,
        log: (line) => this.output.info(line),
      });
      this.output.info(`server by ${this.launch.reason}: ${this.launch.command} ${this.launch.args.join(" ")}`);
      await vscode.workspace.fs.createDirectory(this.context.globalStorageUri);
      this.client = this.made(this.launch, trusted);
      await this.client.start();
      this.status.running(this.launch, this.client.initializeResult?.serverInfo?.version ?? "");
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.output.error(message);
      this.status.failed(message);
      void this.told(Promise.reject(error));
    }
    void this.connections.refresh();
  }

  private made(launch: Launch, workspaceTrusted: boolean): LanguageClient {
    const { command, args } = launch;
    // Not in the workspace: a module in its folder must not be found first.
    const options = { cwd: this.context.globalStorageUri.fsPath };
    const client = new LanguageClient("osiris", "Osiris", { command, args, options }, {
      documentSelector: [{ scheme: "file", language: "yaml" }],
      initializationOptions: { workspaceTrusted },
      synchronize: { configurationSection: "osiris" },
      outputChannel: this.output,
      // Requests under way fail when a server makes way for another one: that is for the log.
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      markdown: { isTrusted: { enabledCommands: [DOCTOR] } },
      middleware: {
        async resolveCodeLens(lens, token, next) {
          const resolved = await next(lens, token);
          if (resolved?.command?.command === REFERENCES) {
            const [uri, position, places] = resolved.command.arguments as [string, Position, Location[]];
            const convert = client.protocol2CodeConverter;
            resolved.command.arguments = [
              convert.asUri(uri), convert.asPosition(position), places.map((place) => convert.asLocation(place)),
            ];
          }
          return resolved;
        },
      },
    });
    client.registerFeature({
      fillClientCapabilities(capabilities) {
        capabilities.experimental = { commands: { commands: [REFERENCES, DOCTOR] } };
      },
      initialize(_capabilities: ServerCapabilities) {},
      getState: () => ({ kind: "static" }),
      clear() {},
    });
    client.onNotification("osiris/connectionsChanged", () => this.connections.refresh());
    return client;
  }

  private async running(): Promise<LanguageClient> {
    await this.pending;
    if (this.client?.state !== State.Running) {
      throw new Error("the server does not run; its log says why, and `Osiris: Restart Server` tries again");
    }
    return this.client;
  }

  /** Return the interpreter that is selected in the Python extension, where there is one. */
  private async selected(): Promise<string | undefined> {
    const python = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
    try {
      const environments = (await python?.activate())?.environments;
      this.follows ??= environments?.onDidChangeActiveEnvironmentPath(() => this.start());
      const found = await environments?.resolveEnvironment(environments.getActiveEnvironmentPath());
      return found?.executable?.uri?.fsPath;
    } catch (error) {
      this.output.warn(`the Python extension does not answer: ${error}`);
      return undefined;
    }
  }

  private async told<T>(result: Promise<T>): Promise<T | undefined> {
    try {
      return await result;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const logs = "Show Logs";
      void vscode.window.showErrorMessage(plain(`Osiris: ${message}`), logs).then((chosen) => chosen && this.output.show());
      return undefined;
    }
  }

  private async debug(): Promise<void> {
    const server = this.client?.state === State.Running
      ? await vscode.commands.executeCommand("osiris.debugInformation")
      : "does not run";
    const about = {
      vscode: vscode.version,
      extension: this.context.extension.packageJSON.version,
      trusted: vscode.workspace.isTrusted,
      chosen: this.launch?.reason,
      server,
    };
    const content = JSON.stringify(about, undefined, 2);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: "json", content }));
  }
}
