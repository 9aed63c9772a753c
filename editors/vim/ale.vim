" For ALE (https://github.com/dense-analysis/ale): `source` this in vimrc. Vim 8.2 or newer.
function! OsirisRoot(buffer) abort
  let l:found = ale#path#FindNearestFile(a:buffer, 'osiris_connections.yaml')
  return fnamemodify(empty(l:found) ? bufname(a:buffer) : l:found, ':p:h')
endfunction

augroup osiris_lsp
  autocmd!
  autocmd FileType yaml ++once call ale#linter#Define('yaml', {
        \ 'name': 'osiris',
        \ 'lsp': 'stdio',
        \ 'executable': 'osiris-lsp',
        \ 'command': '%e server',
        \ 'project_root': function('OsirisRoot'),
        \ })
augroup END
