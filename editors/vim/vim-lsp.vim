" For vim-lsp (https://github.com/prabirshrestha/vim-lsp): `source` this in vimrc.
if executable('osiris-lsp')
  augroup osiris_lsp
    autocmd!
    autocmd User lsp_setup call lsp#register_server({
          \ 'name': 'osiris',
          \ 'cmd': {info -> ['osiris-lsp', 'server']},
          \ 'allowlist': ['yaml'],
          \ })
  augroup END
endif
