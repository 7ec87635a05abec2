"""What was taken along gives the very model that was on the screen."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.export import config_json, model_code
from gptviz.model import GPTModel

CONFIGS = [
    GPTConfig(vocab_size=300, context_length=16, emb_dim=24, n_heads=4, n_layers=2),
    GPTConfig(300, 16, 24, 3, 1, drop_rate=0.0, qkv_bias=True, tie_weights=True),
    GPTConfig(300, 16, 24, 3, 1, qkv_bias=True),
    GPTConfig(300, 16, 24, 3, 1, tie_weights=True, placeholders=frozenset({"shortcut"})),
    GPTConfig(300, 16, 24, 3, 1, placeholders=frozenset({"norm", "attention"})),
    GPTConfig(300, 16, 24, 3, 1, placeholders=frozenset(PLACEHOLDER_PARTS)),
]
RUN_ALONE = """
import sys, runpy
sys.modules.update(gptviz=None, jaxtyping=None)  # no package of ours or jaxtyping's can be found
taken = runpy.run_path(sys.argv[1])
import torch
model = taken["build"]().eval()
with torch.inference_mode():
    torch.save([model.state_dict(), model(torch.arange(10)[None])], sys.argv[2])
"""


@pytest.mark.parametrize("config", CONFIGS)
def test_the_code_gives_the_same_logits_for_the_same_seed(config, tmp_path):
    """In a process of its own: the same weights bit for bit, so the same logits but for rounding.

    (How a product is rounded depends on where in memory a process has put it.)
    """
    code, made = tmp_path / "taken_along.py", tmp_path / "made.pt"
    code.write_text(model_code(config, 7), encoding="utf-8")
    run = [sys.executable, "-c", RUN_ALONE, str(code), str(made)]
    subprocess.run(run, cwd=tmp_path, capture_output=True, check=True)
    weights, logits = torch.load(made, weights_only=True)
    ours, other = (GPTModel(config, seed=seed).eval() for seed in (7, 8))
    assert list(weights) == list(ours.state_dict())
    for name, tensor in ours.state_dict().items():
        assert torch.equal(weights[name], tensor), name
    with torch.inference_mode():
        torch.testing.assert_close(logits, ours(torch.arange(10)[None]), atol=1e-5, rtol=1e-5)
        assert not torch.allclose(logits, other(torch.arange(10)[None]), atol=1e-2)


def test_the_code_runs_alone(tmp_path):
    code = model_code(CONFIGS[0], 7)
    assert "gptviz." not in code.replace("made by gptviz", "")
    file = tmp_path / "gpt.py"
    file.write_text(code, encoding="utf-8")
    # no package of ours or jaxtyping's can be found
    alone = "import sys, runpy; sys.modules.update(gptviz=None, jaxtyping=None); "
    run = [sys.executable, "-c", f"{alone}runpy.run_path({str(file)!r}, run_name='__main__')"]
    said = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"{Ledger(CONFIGS[0]).parameters:,} parameters"


@pytest.mark.parametrize("config", CONFIGS)
def test_the_configuration_can_be_read_again(config):
    values = json.loads(config_json(config))
    assert GPTConfig(**values) == config
