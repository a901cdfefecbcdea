"""A small map and a picture: what a process loads and sets up for its first ones is there afterwards.

`Forks` import this module last, so that no process which is forked has to do that again.
"""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path

import fastneuron as fn

result = fn.Sweep(
    task=fn.tasks.inverter(),
    optimizer=fn.GradientDescent(1.0),
    axes={"bias": [0.0, 1.0], "weight": [0.0, 1.0]},
    stop=fn.Stop(max_steps=1),
).run(progress=False)
with tempfile.TemporaryDirectory() as folder:
    fn.plot.save(Path(folder, "a.png"), result, "outcome")
gc.freeze()  # what the collector does not look at need not be copied for a forked process
