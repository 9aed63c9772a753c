if vim.g.loaded_osiris then return end
vim.g.loaded_osiris = true

require('osiris.commands').register()

if vim.fn.has('nvim-0.11') == 0 or vim.g.osiris_enable == false then return end
vim.lsp.enable('osiris')

-- A file may become ours as it is written: Neovim itself asks only when it is opened.
vim.api.nvim_create_autocmd('BufWritePost', {
  group = vim.api.nvim_create_augroup('osiris', {}),
  pattern = { '*.yaml', '*.yml' },
  callback = function(event)
    if #vim.lsp.get_clients({ bufnr = event.buf, name = 'osiris' }) > 0 then return end
    local config = vim.lsp.config.osiris
    local root = require('osiris.files').root_of_buffer(event.buf)
    if root and vim.lsp.is_enabled('osiris') then
      vim.lsp.start(vim.tbl_extend('force', config, { root_dir = root }), { bufnr = event.buf })
    end
  end,
})
