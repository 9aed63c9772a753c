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
    local function attached() return #vim.lsp.get_clients({ bufnr = event.buf, name = 'osiris' }) > 0 end
    if attached() or not vim.lsp.is_enabled('osiris') then return end
    require('osiris.files').root(event.buf, function(root)
      if attached() then return end
      vim.lsp.start(vim.tbl_extend('force', vim.lsp.config.osiris, { root_dir = root }), { bufnr = event.buf })
    end)
  end,
})
