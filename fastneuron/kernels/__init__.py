"""The only Numba code: compiled descent, trajectories and forward passes.

Importing this package loads Numba; nothing above it does. `jit` holds every compiler flag, `cache` the
disk cache. `vectors` are the numbers that kernels compute with, `memory` is where they lie, `vecmath`,
`quantile` and `records` teach Numba the elementary functions and the components. `philox` makes random
numbers, and `draws` those of a distribution. `neuron` is the arithmetic of one step, `batching` says which
samples it sees, `history` keeps the steps, `judge` is the rule that says what became of a start, `lanes`
carries many starts at once in a `block`; `summary` says what the final parameters amount to. `record` gives
whole trajectories and `outputs` forward passes.
"""
