"""Once this is loaded, what a process does when it first runs and draws something has been done.

It is the last of the modules that `Forks` load, for what they run not to do it again.
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
gc.freeze()  # what is not looked at is not copied for a process that is forked
