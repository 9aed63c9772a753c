--- The entry for nvim-lspconfig, for Neovim before 0.11: `require('lspconfig').osiris.setup({})`.
local server = { 'osiris-lsp', 'server' }

return {
  default_config = {
    cmd = server,
    filetypes = { 'yaml', 'sh', 'env', 'dotenv' },
    root_dir = function(_, buffer)
      if vim.fn.executable(server[1]) == 0 then return nil end
      local command, text = require('osiris.files').question(buffer or vim.api.nvim_get_current_buf(), server)
      local root = command and vim.trim(vim.fn.system(command, text))
      return root and vim.v.shell_error == 0 and root or nil
    end,
    single_file_support = false,
  },
  docs = { description = 'Linter and language server for the YAML of Osiris data pipelines.' },
}
