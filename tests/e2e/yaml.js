// Stands in for Red Hat's YAML extension, which no registry of packages has: a client of the same kind
// for the same server, yaml-language-server. SERVER is set where this is bundled.
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

exports.activate = () =>
  new LanguageClient(
    "yaml",
    "YAML Support",
    { module: SERVER, transport: TransportKind.stdio, args: ["--stdio"] },
    { documentSelector: [{ language: "yaml" }], synchronize: { configurationSection: "yaml" } },
  ).start();
