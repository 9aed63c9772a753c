// Stands in for the Python extension, which no registry of packages has: the part of its interface
// that we use (the extension is compiled against its types), and a command to select.
const vscode = require("vscode");

exports.activate = () => {
  const changed = new vscode.EventEmitter();
  let chosen = "";
  vscode.commands.registerCommand("python.setInterpreter", async () => {
    chosen = (await vscode.window.showInputBox()) ?? "";
    changed.fire({ id: chosen, path: chosen, resource: undefined });
  });
  return {
    environments: {
      onDidChangeActiveEnvironmentPath: changed.event,
      getActiveEnvironmentPath: () => ({ id: chosen, path: chosen }),
      resolveEnvironment: async ({ path }) => path && { executable: { uri: vscode.Uri.file(path) } },
    },
  };
};
