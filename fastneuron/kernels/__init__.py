"""The only Numba code: compiled descent, trajectories and forward passes.

Importing this package loads Numba; nothing above it does. `jit` holds every compiler flag, `cache` the
disk cache. `vectors` are the numbers that kernels compute with, `vecmath` and `records` teach Numba the
elementary functions and the components. `neuron` is the arithmetic of one step, `judge` the rule that says
what became of a start, `lanes` the blocks that carry many starts at once, `record` whole trajectories and
`outputs` forward passes.
"""
