// The status bar item: whether the server runs, and which one was chosen.

import * as vscode from "vscode";
import type { Launch } from "./launch";

/** Shows in the status bar what the server does; a click shows its log. */
export class Status {
  private readonly item: vscode.StatusBarItem;

  constructor(context: vscode.ExtensionContext) {
    this.item = vscode.window.createStatusBarItem("osiris.status", vscode.StatusBarAlignment.Right, 50);
    this.item.name = "Osiris";
    this.item.command = "osiris.showLogs";
    context.subscriptions.push(this.item);
    this.item.show();
  }

  /** Show that the server starts; the first start takes longest. */
  starting(): void {
    this.show("$(loading~spin) Osiris", "The server starts. The first time an environment is made for it.");
  }

  /** Show the server that runs. */
  running(launch: Launch, version: string): void {
    this.show("$(pass) Osiris", `osiris-lsp ${version}, by ${launch.reason}\n${launch.command}`);
  }

  /** Show why there is no server. */
  failed(message: string): void {
    this.show("$(error) Osiris", message);
    this.item.backgroundColor = new vscode.ThemeColor("statusBarItem.errorBackground");
  }

  private show(text: string, tooltip: string): void {
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.backgroundColor = undefined;
  }
}
