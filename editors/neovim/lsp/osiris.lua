-- Neovim 0.11 pulls diagnostics but does not know that a server may ask it to pull again, as ours
-- does when a check is done, or another file has changed.
local function pull_again(_, _, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  for buffer in pairs(client and client.attached_buffers or {}) do
    client:request('textDocument/diagnostic', { textDocument = { uri = vim.uri_from_bufnr(buffer) } }, nil, buffer)
  end
  return vim.NIL
end

---@type vim.lsp.Config
return {
  cmd = { 'osiris-lsp', 'server' },
  filetypes = { 'yaml', 'sh', 'env', 'dotenv' }, -- the last three are what Neovim calls `.env`
  root_dir = function(buffer, attach) require('osiris.files').root(buffer, attach) end,
  capabilities = { workspace = { diagnostics = { refreshSupport = true } } },
  handlers = { ['workspace/diagnostic/refresh'] = pull_again },
  commands = require('osiris.commands').of_server,
}
