// The Connections view: what `osiris/connections` answers, as a tree of families and aliases.

import * as vscode from "vscode";
import type { Range } from "vscode-languageclient/node";

/** How the last check of a connection went. */
interface Health {
  ok: boolean;
  category: string;
  message: string;
  latency_ms: number | null;
  checked_at: string;
  stale: boolean;
}

/** A connection as the server lists it. */
export interface Connection {
  id: string;
  family: string;
  alias: string;
  uri: string;
  range: Range;
  default: boolean;
  env: { set: string[]; missing: string[] };
  usages: number;
  health: Health | null;
}

type Row = string | Connection;

/** Gives the rows of the view; `ask` requests the list from the server. */
export class Connections implements vscode.TreeDataProvider<Row> {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private known: Connection[] | undefined;

  constructor(private readonly ask: () => Promise<Connection[]>) {}

  /** Ask the server again, now or when the view is shown. */
  async refresh(): Promise<void> {
    // First the answer: a row that is clicked while the view waits for its rows is none.
    this.known &&= await this.ask().catch(() => undefined);
    this.changed.fire();
  }

  /** Draw the rows again: ages grow. */
  redraw(): void {
    this.changed.fire();
  }

  /** Return what the server lists. */
  async list(): Promise<Connection[]> {
    this.known ??= await this.ask();
    return this.known;
  }

  async getChildren(row?: Row): Promise<Row[]> {
    const all = await this.list();
    if (row === undefined) {
      return [...new Set(all.map((item) => item.family))].sort();
    }
    return all.filter((item) => item.family === row);
  }

  getTreeItem(row: Row): vscode.TreeItem {
    if (typeof row === "string") {
      const family = new vscode.TreeItem(row, vscode.TreeItemCollapsibleState.Expanded);
      family.id = `family ${row}`;
      return family;
    }
    const item = new vscode.TreeItem(row.alias || row.family);
    item.id = row.id;
    item.contextValue = "connection";
    item.description = described(row);
    item.iconPath = icon(row.health);
    item.tooltip = explained(row);
    item.command = { command: "osiris.openConnection", title: "Go to Definition", arguments: [row] };
    return item;
  }
}

function icon(health: Health | null): vscode.ThemeIcon {
  if (health === null) {
    return new vscode.ThemeIcon("circle-outline");
  }
  const [name, color] = health.ok ? ["pass-filled", "testing.iconPassed"] : ["error", "testing.iconFailed"];
  return new vscode.ThemeIcon(name, new vscode.ThemeColor(health.stale ? "disabledForeground" : color));
}

function described(row: Connection): string {
  const health = row.health;
  if (health === null) {
    return row.default ? "default" : "";
  }
  const took = health.ok && health.latency_ms !== null ? `${health.latency_ms.toFixed(0)} ms` : health.category;
  return [took, ago(health.checked_at), health.stale ? "changed since" : ""].filter(Boolean).join(" · ");
}

function explained(row: Connection): string {
  const lines = [`@${row.family}.${row.alias}`, `used by ${row.usages} ${row.usages === 1 ? "file" : "files"}`];
  if (row.env.missing.length) {
    lines.push(`not set: ${row.env.missing.join(", ")}`);
  }
  if (row.health) {
    lines.push(row.health.message);
  }
  return lines.join("\n");
}

function ago(time: string): string {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  if (seconds < 60) {
    return "just now";
  }
  const [size, unit] = seconds < 3600 ? [60, "min"] : seconds < 86_400 ? [3600, "h"] : [86_400, "d"];
  return `${Math.floor(seconds / size)} ${unit} ago`;
}
