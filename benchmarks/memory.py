"""The most memory that one pass takes, measured in a process of its own.

python -m benchmarks.memory "trace" 1024      # prints bytes

It is the process's resident memory at its highest during the pass (the kernel's own mark, set back
just before), above what was resident with the model loaded and one such pass made and forgotten. So
it counts what the pass gives back and what it used meanwhile, and not what torch's kernels set up
once for all.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import torch

from benchmarks.hugging_face import their_model
from benchmarks.passes import CONFIG, OURS, Pass, our_passes, sentence, their_passes
from gptviz.model import GPTModel

STATUS = Path("/proc/self/status")
SET_BACK = Path("/proc/self/clear_refs")  # writing 5 sets the mark to what is resident now
# What is freed goes back to the system at once, or else the next pass would take it unseen.
GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def can_measure() -> bool:
    """Only Linux lets a process set its own mark back."""
    return SET_BACK.exists()


def peak_bytes(name: str, n_tokens: int) -> int:
    """Start a fresh process for this pass, and give what it printed."""
    command = [sys.executable, "-m", "benchmarks.memory", name, str(n_tokens)]
    root = Path(__file__).parents[1]
    environment = os.environ | GIVE_BACK
    done = subprocess.run(
        command, cwd=root, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return int(done.stdout)


def _the_pass(name: str) -> Pass:
    if name in OURS:
        return our_passes(GPTModel(CONFIG).eval())[name]
    return their_passes(their_model(CONFIG))[name]


def _kilobytes(mark: str) -> int:
    found = re.search(rf"^{mark}:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
    assert found, mark
    return int(found[1])


@torch.inference_mode()
def main(name: str, n_tokens: int) -> None:
    run = _the_pass(name)
    ids = sentence(n_tokens)
    run(ids)
    SET_BACK.write_text("5")
    before = _kilobytes("VmRSS")
    result = run(ids)  # stays until the mark is read
    print((_kilobytes("VmHWM") - before) * 1024)
    del result


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
