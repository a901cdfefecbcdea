"""The command line: one file a command, each of which reads its options, calls the library and prints.

Not here: anything that computes. And nothing heavy at import: ``--help`` loads neither NumPy nor Numba,
so a command imports what it needs inside its function.
"""
