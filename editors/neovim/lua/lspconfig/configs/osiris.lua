--- The entry for nvim-lspconfig, for Neovim before 0.11: `require('lspconfig').osiris.setup({})`.
return {
  default_config = {
    cmd = { 'osiris-lsp', 'server' },
    filetypes = { 'yaml', 'sh', 'env', 'dotenv' },
    root_dir = function(_, buffer)
      return require('osiris.files').root_of_buffer(buffer or vim.api.nvim_get_current_buf())
    end,
    single_file_support = false,
  },
  docs = { description = 'Linter and language server for the YAML of Osiris data pipelines.' },
}
