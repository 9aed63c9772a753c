--- `:checkhealth osiris`
local M = {}

local health = vim.health
local start, ok = health.start or health.report_start, health.ok or health.report_ok
local info, warn = health.info or health.report_info, health.warn or health.report_warn
local fail = health.error or health.report_error

local function command()
  if vim.fn.has('nvim-0.11') == 1 and vim.lsp.config.osiris then return vim.lsp.config.osiris.cmd end
  return { 'osiris-lsp', 'server' }
end

local function server()
  local cmd = command()
  if type(cmd) ~= 'table' then return info('`cmd` is a function of yours; the server is not looked for') end
  local path = vim.fn.exepath(cmd[1])
  if path == '' then
    return fail(('`%s` is not found'):format(cmd[1]), {
      'install it with `pipx install osiris-lsp` or `uv tool install osiris-lsp`',
      "or name it: `vim.lsp.config('osiris', { cmd = { '/path/to/osiris-lsp', 'server' } })`",
    })
  end
  ok('server: ' .. path)
  if vim.fs.basename(cmd[1]):match('^osiris%-lsp') == nil then return end
  local said = vim.trim(vim.fn.system({ path, 'version' }))
  if vim.v.shell_error ~= 0 then return fail('`osiris-lsp version` fails: ' .. said) end
  ok('version: ' .. vim.split(said, '\n')[1])
end

local function neighbour()
  if vim.fn.executable('yaml-language-server') == 0 then
    return info('yaml-language-server is not installed; osiris-lsp does not need it')
  end
  ok('yaml-language-server is installed; both may be attached to a file')
end

local function clients()
  local get = vim.lsp.get_clients or vim.lsp.get_active_clients
  local running = get({ name = 'osiris' })
  if #running == 0 then info('not attached: no open file is a connections file, a pipeline or a component') end
  for _, client in ipairs(running) do
    local count = #vim.tbl_keys(client.attached_buffers)
    ok(('attached to %d %s in %s'):format(count, count == 1 and 'buffer' or 'buffers', client.root_dir or client.config.root_dir))
    for buffer in pairs(client.attached_buffers) do
      for _, other in ipairs(get({ bufnr = buffer })) do
        if other.offset_encoding ~= client.offset_encoding then
          warn(('%s counts columns in %s, osiris in %s'):format(other.name, other.offset_encoding, client.offset_encoding))
        end
      end
    end
  end
end

--- Write the report.
function M.check()
  start('osiris')
  if vim.fn.has('nvim-0.11') == 1 then
    ok('Neovim 0.11 or newer: nothing else is needed')
  else
    warn("Neovim before 0.11 needs nvim-lspconfig and `require('lspconfig').osiris.setup({})`")
  end
  server()
  neighbour()
  clients()
end

return M
