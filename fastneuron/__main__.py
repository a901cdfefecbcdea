"""``python -m fastneuron``: the command line."""

import sys

from fastneuron.cli.main import main

sys.exit(main())
