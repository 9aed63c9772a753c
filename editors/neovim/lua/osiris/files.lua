--- Which buffers are ours: `osiris-lsp root` tells, as the server would.
local M = {}

--- The command of the server's program for a buffer, and its text; nil where it is no file.
function M.question(buffer, server)
  local path = vim.api.nvim_buf_get_name(buffer)
  if path == '' or path:match('^%a[%w+.-]+://') then return nil end
  local command = {}
  for _, word in ipairs(type(server) == 'table' and server or { 'osiris-lsp' }) do
    if word == 'server' then break end
    table.insert(command, word)
  end
  vim.list_extend(command, { 'root', '--stdin', '--', path })
  local text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\n')
  return command, vim.trim(text) == '' and '' or text .. '\n'
end

--- Hand the root of a buffer's project to `found`, once it is known that the buffer is ours.
function M.root(buffer, found)
  local command, text = M.question(buffer, vim.lsp.config.osiris.cmd)
  if not command then return end
  local function answered(done)
    if done.code == 0 and vim.api.nvim_buf_is_valid(buffer) then found(vim.trim(done.stdout)) end
  end
  if not pcall(vim.system, command, { stdin = text, text = true }, vim.schedule_wrap(answered)) then
    vim.notify_once(('osiris: `%s` does not start; see `:checkhealth osiris`'):format(command[1]), vim.log.levels.WARN)
  end
end

return M
