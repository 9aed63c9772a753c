" Opens a pipeline with ALE, and writes what it made of it as JSON.
" ALE: its folder; OSIRIS_VIM: our settings; OSIRIS_ANSWER: the file for the answer.
set nocompatible hidden nomore noswapfile
execute 'set runtimepath^=' . $ALE
let g:ale_hover_to_preview = 1
let g:ale_linters = {'yaml': ['osiris']}
filetype plugin on
source $OSIRIS_VIM
runtime plugin/ale.vim

function! Wait(what, Until) abort
  for l:turn in range(400)
    if a:Until()
      return
    endif
    sleep 50m
  endfor
  throw 'waited in vain for ' . a:what
endfunction

function! Found() abort
  return map(copy(ale#engine#GetLoclist(bufnr(''))), {_, d -> [d.text, d.lnum, d.col, d.end_lnum, d.end_col]})
endfunction

function! Preview() abort
  return filter(range(1, winnr('$')), {_, number -> getwinvar(number, '&previewwindow')})
endfunction

let s:said = {}
try
  edit pipelines/orders.yaml
  call Wait('diagnostics', {-> !empty(Found())})
  let s:said.diagnostics = Found()
  call search('@mysql.ma')
  ALEHover
  call Wait('the hover', {-> !empty(Preview())})
  wincmd P
  let s:said.hover = join(getline(1, '$'), "\n")
  pclose

  call search('@mysql.mi')
  let s:before = getline(1, '$')
  call test_feedinput("1\<CR>")
  ALECodeAction
  call Wait('the edit', {-> s:before != getline(1, '$')})
  let s:said.fixed = getline(1, '$')
  silent write

  edit osiris_connections.yaml
  call Wait('the other file', {-> getline(1) =~# 'ours'})
  call search('    main', 'e')
  let s:before = getline(1, '$')
  call test_feedinput("\<C-u>prime\<CR>")
  ALERename
  call Wait('the new name', {-> s:before != getline(1, '$')})
  silent wall
catch
  let s:said.failure = v:exception . ' at ' . v:throwpoint . execute('messages')
endtry
call writefile([json_encode(s:said)], $OSIRIS_ANSWER)
quitall!
