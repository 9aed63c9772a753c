--- Which buffers are ours: told by names and first lines, as `osiris_lsp/discovery.py` tells it.
--- A wrong yes costs an idle client, because the server answers only for its own files. Families,
--- which only the server knows, are not asked for: there the name and the project decide.
local M = {}

local MARKERS = { 'osiris_connections.yaml', 'osiris_connections.yml', 'osiris.yaml', 'osiris-lsp.toml' }
local FOREIGN = {
  'apiVersion', 'jobs', 'runs', 'services', 'pool', 'trigger', 'stages', 'AWSTemplateFormatVersion',
}

--- How many lines of a file are looked at.
M.LINES = 400

local function top_keys(lines)
  local keys = {}
  for _, line in ipairs(lines) do
    local key = (line .. ' '):gsub('^{[ \t]*', ''):match('^["\']?([%a_][%w_.-]*)["\']?[ \t]*:%s')
    if key then keys[key] = true end
  end
  return keys
end

local function has_step_key(lines, key)
  for _, line in ipairs(lines) do
    local rest = line:gsub('^[ \t]*', ''):gsub('^%-[ \t]+', '')
    if rest:match('^["\']?' .. key .. '["\']?[ \t]*:') then return true end
    if rest:match('^{') and rest:match('[{,%s"\']' .. key .. '["\']?[ \t]*:') then return true end
  end
  return false
end

local function names_project(name, folder)
  if name == '.git' or vim.tbl_contains(MARKERS, name) then return true end
  if name ~= 'pyproject.toml' then return false end
  local file = io.open(folder .. '/' .. name)
  local text = file and '\n' .. (file:read('*a') or '') or ''
  if file then file:close() end
  return text:match('\n%s*%[%s*tool%s*%.%s*["\']?osiris%-lsp') ~= nil
end

--- The nearest folder with a connections file, `osiris.yaml`, `osiris-lsp.toml`, `[tool.osiris-lsp]`
--- or `.git`, else the folder of the file; and whether that is a project of ours.
function M.root(path)
  local folder = vim.fs.dirname(vim.fn.fnamemodify(path, ':p'))
  local found = vim.fs.find(names_project, { path = folder, upward = true, limit = 1 })[1]
  if not found then return folder, false end
  local root = vim.fs.dirname(found)
  for name in vim.fs.dir(root) do
    if name ~= '.git' and names_project(name, root) then return root, true end
  end
  return root, false
end

--- Whether a file with these first lines is a connections file, a pipeline or a component.
function M.is_ours(path, lines)
  local name = vim.fs.basename(path)
  if name == '.env' then return select(2, M.root(path)) end
  for _, line in ipairs(lines) do
    local kind = line:match('^[ \t]*#[ \t]*osiris:[ \t]*kind=(%a+)')
    if kind then return kind ~= 'off' end
  end
  if not name:match('%.ya?ml$') then return false end
  local top = top_keys(lines)
  if top.oml_version then return true end
  for _, key in ipairs(FOREIGN) do
    if top[key] then return false end
  end
  if name:match('connections') then return true end
  if top.connections and not top.configSchema then return top.version or select(2, M.root(path)) end
  if top.configSchema and (top.name or top.modes) then return true end
  if name:match('^spec%.') and path:match('[/\\]components[/\\][^/\\]+[/\\][^/\\]+$') then return true end
  if top.steps then
    return has_step_key(lines, 'component') or has_step_key(lines, 'driver')
      or (has_step_key(lines, 'type') and has_step_key(lines, 'config'))
  end
  -- A file that is being started, in a project of ours.
  return next(top) == nil and not table.concat(lines):match('%S') and select(2, M.root(path))
end

--- The root of a buffer's project, or nil where the buffer is not ours.
function M.root_of_buffer(buffer)
  local path = vim.api.nvim_buf_get_name(buffer)
  if path == '' or path:match('^%a[%w+.-]+://') then return nil end
  local lines = vim.api.nvim_buf_get_lines(buffer, 0, M.LINES, false)
  return M.is_ours(path, lines) and (M.root(path)) or nil
end

return M
