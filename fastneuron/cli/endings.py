"""How a command can end: its exit codes."""

DONE = 0
FAILED = 1
WRONG = 2  # usage, spec or file
SIGNALLED = 128  # with the number of the signal added: 130 after Ctrl-C, 143 after SIGTERM
