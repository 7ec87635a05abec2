"""What was taken along gives the very model that was on the screen."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest
import torch

from gptviz.config import GPTConfig
from gptviz.export import config_json, model_code
from gptviz.ledger import Ledger
from gptviz.model import GPTModel

CONFIGS = [
    GPTConfig(vocab_size=300, context_length=16, emb_dim=24, n_heads=4, n_layers=2),
    GPTConfig(300, 16, 24, 3, 1, drop_rate=0.0, qkv_bias=True, tie_weights=True),
    GPTConfig(300, 16, 24, 3, 1, placeholders=frozenset({"norm", "attention"})),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_the_code_gives_the_same_logits_for_the_same_seed(config, tmp_path, monkeypatch):
    (tmp_path / "taken_along.py").write_text(model_code(config, 7), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "taken_along", raising=False)
    taken = importlib.import_module("taken_along")
    ids = torch.arange(10)[None]
    with torch.inference_mode():
        theirs = taken.build().eval()(ids)
        ours = GPTModel(config, seed=7).eval()(ids)
        other = GPTModel(config, seed=8).eval()(ids)
    assert torch.equal(theirs, ours)
    assert not torch.equal(theirs, other)


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
