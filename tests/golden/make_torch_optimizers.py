"""Write torch_optimizers.json: training runs by torch.optim, to hold the optimizers to.

    pip install torch && python tests/golden/make_torch_optimizers.py

The inverter, one sigmoid neuron, mean of (a - y)^2 / 2, float64, from weight 0.6 and bias 0.9; for each
optimizer every tenth of 1000 steps. What is run is torch's own code, its optimizers and its autograd.
"""

import json
from pathlib import Path

import torch

RUNS = [
    ("GradientDescent", {"learning_rate": 0.5}, lambda p: torch.optim.SGD(p, lr=0.5)),
    (
        "Momentum",
        {"learning_rate": 0.25, "momentum": 0.9},
        lambda p: torch.optim.SGD(p, lr=0.25, momentum=0.9),
    ),
    (
        "Nesterov",
        {"learning_rate": 0.25, "momentum": 0.9},
        lambda p: torch.optim.SGD(p, lr=0.25, momentum=0.9, nesterov=True),
    ),
    ("AdaGrad", {"learning_rate": 0.5}, lambda p: torch.optim.Adagrad(p, lr=0.5)),
    (
        "AdaGrad",
        {"learning_rate": 0.2, "epsilon": 0.01},
        lambda p: torch.optim.Adagrad(p, lr=0.2, eps=0.01),
    ),
    ("RMSProp", {"learning_rate": 0.01}, lambda p: torch.optim.RMSprop(p, lr=0.01)),
    (
        "RMSProp",
        {"learning_rate": 0.05, "decay": 0.9, "epsilon": 1e-3},
        lambda p: torch.optim.RMSprop(p, lr=0.05, alpha=0.9, eps=1e-3),
    ),
    ("Adam", {"learning_rate": 0.05}, lambda p: torch.optim.Adam(p, lr=0.05)),
    (
        "Adam",
        {"learning_rate": 0.02, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-4},
        lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-4),
    ),
    ("AdamW", {"learning_rate": 0.05}, lambda p: torch.optim.AdamW(p, lr=0.05)),
    (
        "AdamW",
        {"learning_rate": 0.02, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-4, "weight_decay": 0.1},
        lambda p: torch.optim.AdamW(p, lr=0.02, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1),
    ),
]


def path_of(make):
    """Weight and bias at every tenth step."""
    x = torch.tensor([0.0, 1.0], dtype=torch.float64)
    y = torch.tensor([1.0, 0.0], dtype=torch.float64)
    weight = torch.tensor(0.6, dtype=torch.float64, requires_grad=True)
    bias = torch.tensor(0.9, dtype=torch.float64, requires_grad=True)
    optimizer = make([weight, bias])
    path = [(weight.item(), bias.item())]
    for step in range(1, 1001):
        optimizer.zero_grad()
        loss = ((torch.sigmoid(weight * x + bias) - y) ** 2 / 2).mean()
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            path.append((weight.item(), bias.item()))
    return path


if __name__ == "__main__":
    runs = [{"optimizer": name, "fields": fields, "path": path_of(make)} for name, fields, make in RUNS]
    report = {"torch": torch.__version__, "runs": runs}
    Path(__file__).with_name("torch_optimizers.json").write_text(json.dumps(report, indent=0) + "\n")
