"""``python -m fastneuron``: the command line."""

import sys

# a file of the current folder is not to be taken for a module, which -m would have it
if not sys.flags.safe_path:
    del sys.path[0]

from fastneuron.cli.main import main  # noqa: E402

sys.exit(main())
