--- The user commands: each asks the server one thing and shows its answer.
local M = {}

local function tell(message, level)
  vim.notify('osiris: ' .. message, level or vim.log.levels.INFO)
end

local function call(client, method, ...)
  if vim.fn.has('nvim-0.11') == 1 then return client[method](client, ...) end
  return client[method](...)
end

local function client_of(buffer)
  local get = vim.lsp.get_clients or vim.lsp.get_active_clients
  return get({ bufnr = buffer, name = 'osiris' })[1] or get({ name = 'osiris' })[1]
end

local function ask(method, params, show)
  local buffer = vim.api.nvim_get_current_buf()
  local client = client_of(buffer)
  if not client then
    tell('the server does not run; open a file of the project, or see `:checkhealth osiris`', vim.log.levels.WARN)
    return
  end
  call(client, 'request', method, params, function(failure, answer)
    if failure then
      tell(failure.message, vim.log.levels.ERROR)
    else
      show(answer, client)
    end
  end, buffer)
end

local function run(command, argument, show)
  ask('workspace/executeCommand', { command = command, arguments = { argument } }, show)
end

local function uri() return vim.uri_from_bufnr(0) end

local function here()
  local client = client_of(0)
  return vim.lsp.util.make_position_params(0, client and client.offset_encoding or 'utf-16').position
end

local function page(title, lines, filetype)
  local name = 'osiris://' .. title
  local buffer = vim.fn.bufnr('^' .. vim.fn.escape(name, '[]*?') .. '$')
  if buffer < 0 then
    buffer = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buffer, name)
    vim.bo[buffer].bufhidden = 'wipe'
    vim.bo[buffer].filetype = filetype or 'text'
  end
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].modifiable = false
  if vim.fn.bufwinid(buffer) < 0 then
    vim.cmd('botright ' .. math.min(#lines + 1, 15) .. 'split')
    vim.api.nvim_win_set_buf(0, buffer)
  end
end

local function quickfix(title, items)
  vim.fn.setqflist({}, ' ', { title = title, items = items })
  if #items > 0 then vim.cmd('botright copen') else tell('nothing found') end
end

local function present(value) return value ~= nil and value ~= vim.NIL end

local function place(item, client, text)
  local locations = vim.lsp.util.locations_to_items({ item }, client.offset_encoding)
  return vim.tbl_extend('force', locations[1], { text = text })
end

local function health(item)
  if not present(item.health) then return 'not checked' end
  local said = item.health.ok and ('ok, %.0f ms'):format(item.health.latency_ms or 0)
    or ('%s: %s'):format(item.health.category, item.health.message)
  return said .. (item.health.stale and ', changed since' or '')
end

local function show_doctor(results)
  local lines = {}
  for _, result in ipairs(results) do
    local name = ('@%s.%s'):format(result.family, result.alias)
    if result.ok then
      table.insert(lines, ('ok      %s  %.0f ms'):format(name, result.latency_ms or 0))
    else
      table.insert(lines, ('failed  %s  %s: %s'):format(name, result.category, result.message))
      for _, key in ipairs({ 'cause', 'remedy' }) do
        if present(result.details[key]) then table.insert(lines, '        ' .. result.details[key]) end
      end
    end
  end
  page('doctor', #lines > 0 and lines or { 'there is no connection' })
end

local function show_trust(answer)
  for _, item in ipairs(answer) do
    tell(('@%s.%s is %s'):format(item.family, item.alias, item.trusted and 'trusted' or 'not trusted'))
  end
end

local function show_resolved(answer)
  local lines = { ('@%s.%s'):format(answer.family, answer.alias), '' }
  for _, field in ipairs(answer.fields) do
    local sources = vim.tbl_map(function(source)
      return present(source.name) and source.name ~= '' and source.kind .. ' ' .. source.name or source.kind
    end, field.sources)
    local value = type(field.value) == 'string' and field.value or vim.json.encode(field.value)
    table.insert(lines, ('%s: %s  # %s'):format(field.name, value:gsub('\n', '\\n'), table.concat(sources, ', ')))
  end
  page('resolved', lines, 'yaml')
end

local function show_connections(items, client)
  quickfix('osiris connections', vim.tbl_map(function(item)
    local used = item.usages == 1 and 'used by 1 pipeline' or ('used by %d pipelines'):format(item.usages)
    local parts = { ('@%s.%s'):format(item.family, item.alias), health(item), used }
    if #item.env.missing > 0 then table.insert(parts, 'not set: ' .. table.concat(item.env.missing, ', ')) end
    return place(item, client, table.concat(parts, ' · '))
  end, items))
end

local function show_usages(items, client)
  quickfix('osiris usages', vim.tbl_map(function(item)
    return place(item, client, present(item.step) and item.step or '')
  end, items))
end

local function doctor(given)
  local argument = { uri = uri() }
  if #given.fargs > 0 then argument = { ids = given.fargs } end
  if given.bang then argument = vim.empty_dict() end
  run('osiris.doctor', argument, show_doctor)
end

local function trust(given)
  run('osiris.trust', #given.fargs > 0 and { ids = given.fargs } or { uri = uri() }, show_trust)
end

local function add_connection(given)
  local params = { family = given.fargs[1], alias = given.fargs[2], uri = uri() }
  if not params.alias then return tell('give a family and an alias, such as `mysql main`', vim.log.levels.WARN) end
  ask('osiris/addConnection', params, function(answer, client)
    if not answer.applied then return end
    local item = place(answer, client, '')
    vim.cmd.edit(vim.fn.fnameescape(item.filename))
    vim.api.nvim_win_set_cursor(0, { item.lnum, item.col - 1 })
  end)
end

local function restart()
  local client = client_of(0)
  if not client then return tell('the server does not run', vim.log.levels.WARN) end
  local buffers = vim.tbl_keys(client.attached_buffers)
  call(client, 'stop')
  vim.wait(5000, function() return call(client, 'is_stopped') end, 20)
  for _, buffer in ipairs(buffers) do
    vim.lsp.start(client.config, { bufnr = buffer })
  end
end

--- Connections for the command line, as `@family.alias`.
local function complete(lead)
  local client = client_of(0)
  local answer = client and call(client, 'request_sync', 'osiris/connections', vim.empty_dict(), 2000, 0)
  local names = vim.tbl_map(function(item)
    return ('@%s.%s'):format(item.family, item.alias)
  end, answer and answer.result or {})
  return vim.tbl_filter(function(name) return vim.startswith(name, lead) end, names)
end

--- Commands of the server that code actions and lenses carry, with their answers shown.
M.of_server = {
  ['osiris.doctor'] = function(command) run(command.command, command.arguments[1], show_doctor) end,
  ['osiris.trust'] = function(command) run(command.command, command.arguments[1], show_trust) end,
}

local COMMANDS = {
  OsirisDoctor = { doctor, 'check connections: of this file, those named, or with ! all', nargs = '*', bang = true, complete = complete },
  OsirisTrust = { trust, 'allow checks of connections: of this file, or those named', nargs = '*', complete = complete },
  OsirisConnections = { function() ask('osiris/connections', vim.empty_dict(), show_connections) end, 'list connections with their health' },
  OsirisUsages = { function(given) ask('osiris/usages', { id = given.args }, show_usages) end, 'list the steps that use a connection', nargs = 1, complete = complete },
  OsirisShowResolved = { function(given) run('osiris.showResolved', { id = given.args }, show_resolved) end, 'show a connection as it is used, without secrets', nargs = 1, complete = complete },
  OsirisAddConnection = { add_connection, 'add a connection: family and alias', nargs = '+' },
  OsirisMoveSecretToEnv = { function()
    run('osiris.moveSecretToEnv', { uri = uri(), position = here() }, function(answer) tell(answer.message) end)
  end, 'move the secret at the cursor to .env' },
  OsirisExplainRule = { function(given)
    run('osiris.explainRule', { rule = given.args }, function(answer)
      page(answer.rule, vim.split(answer.markdown, '\n'), 'markdown')
    end)
  end, 'show what a rule is about', nargs = 1 },
  OsirisDebugInfo = { function()
    run('osiris.debugInformation', vim.empty_dict(), function(answer)
      page('debug', vim.split(vim.inspect(answer), '\n'), 'lua')
    end)
  end, 'show what helps with a report of a bug; it holds no text of yours' },
  OsirisRestart = { restart, 'restart the server' },
}

--- Define the user commands.
function M.register()
  for name, given in pairs(COMMANDS) do
    local options = { desc = 'osiris: ' .. given[2], nargs = given.nargs or 0, bang = given.bang, complete = given.complete }
    vim.api.nvim_create_user_command(name, given[1], options)
  end
end

return M
