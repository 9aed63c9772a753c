// yaml-language-server as it is, but each change is validated at once, not after its pause of 200 ms.
// usage: node undelayed.js FOLDER_OF_THE_PACKAGE --stdio
const source = `${process.argv[2]}/out/server/src`;
const { ValidationHandler } = require(`${source}/languageserver/handlers/validationHandlers.js`);
ValidationHandler.prototype.validate = function (document) {
  this.validateTextDocument(document);
};
require(`${source}/server.js`);
