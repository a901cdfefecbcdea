"""The only Numba code: compiled descent, trajectories and forward passes.

Importing this package loads Numba; nothing above it does. `loading` does that, `apart` keeps signals out of
the compiler, `jit` holds every compiler flag, `cache` the disk cache. `vectors` are the numbers that kernels
compute with, `memory` is where they lie, `vecmath`, `quantile` and `records` teach Numba the elementary
functions and the components. `philox` makes random
numbers, and `draws` those of a distribution. What is asked of a model stands in `problem`; `neuron` and
`network`, with its `products` of matrices, are the arithmetic of one step, `updating` that of an optimizer,
`batching` says which samples a step sees, `history` keeps the steps, `recording` sums their losses, `judge`
is the rule that says what became of a start, `lanes` carries many starts at once in a `block`; `summary` says
what the final parameters amount to. `record` gives whole trajectories, `outputs` forward passes and
`activity` the units of random networks.
"""

from fastneuron.kernels.loading import load_numba

load_numba()
