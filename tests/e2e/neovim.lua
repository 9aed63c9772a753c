-- Runs the script of a test inside a real Neovim and writes what it returns as JSON.
-- OSIRIS_SCRIPT: Lua that may use what is below; OSIRIS_ANSWER: the file for the answer.
local T = {}

function T.wait(what, until_)
  if not vim.wait(20000, until_, 20) then error('waited in vain for ' .. what) end
end

function T.client() return vim.lsp.get_clients({ bufnr = 0, name = 'osiris' })[1] end

-- Opens a file and waits until the server has told its diagnostics.
function T.open(path)
  vim.cmd.edit(path)
  T.wait('the client', T.client)
  local told = false
  vim.api.nvim_create_autocmd('DiagnosticChanged', { buffer = 0, once = true, callback = function() told = true end })
  T.wait('diagnostics of ' .. path, function() return told or #vim.diagnostic.get(0) > 0 end)
end

-- Puts the cursor on the last character of the first place with this text.
function T.at(text)
  vim.fn.cursor(1, 1)
  assert(vim.fn.search('\\V' .. vim.fn.escape(text, '\\'), 'ce') > 0, 'no ' .. text)
end

function T.text() return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n') end

-- Diagnostics as the shell counts: from 1, in characters.
function T.diagnostics()
  local found = {}
  local function column(line, byte)
    local text = vim.api.nvim_buf_get_lines(0, line, line + 1, false)[1]
    return vim.str_utfindex(text, 'utf-32', byte) + 1
  end
  for _, item in ipairs(vim.diagnostic.get(0)) do
    table.insert(found, {
      code = item.code, message = item.message, severity = item.severity,
      line = item.lnum + 1, column = column(item.lnum, item.col),
      end_line = item.end_lnum + 1, end_column = column(item.end_lnum, item.end_col),
    })
  end
  return found
end

-- The lines of the floating window that comes up.
function T.float()
  local window
  T.wait('a floating window', function()
    for _, one in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(one).relative ~= '' then window = one end
    end
    return window ~= nil
  end)
  return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false), '\n')
end

-- The text of the page that a command shows.
function T.page(title)
  local name = 'osiris://' .. title
  T.wait(name, function() return vim.api.nvim_buf_get_name(0):find(name, 1, true) ~= nil end)
  return T.text()
end

local done, answer = xpcall(function()
  return assert(loadfile(vim.env.OSIRIS_SCRIPT, 't', setmetatable({ T = T }, { __index = _G })))()
end, debug.traceback)
local file = assert(io.open(vim.env.OSIRIS_ANSWER, 'w'))
file:write(vim.json.encode(done and { answer = answer == nil and vim.NIL or answer } or { failure = answer .. '\n' .. vim.fn.execute('messages') }))
file:close()
vim.cmd('qall!')
