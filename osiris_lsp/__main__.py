"""`python -m osiris_lsp` is the command `osiris-lsp`."""

import sys

from osiris_lsp.cli import main

if __name__ == "__main__":
    sys.exit(main())
