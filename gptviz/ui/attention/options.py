"""What is chosen on the attention page."""

from __future__ import annotations

from gptviz.analysis.measure_keys import MEASURE_KEYS
from gptviz.ui.shell.options import Choice, slider, view

VIEW = view(
    "attention_view",
    {
        "map": "Map",
        "lines": "Lines",
        "token": "One token",
        "steps": "Step by step",
        "compare": "Compare heads",
        "rollout": "Rollout",
        "explanation": "Is it an explanation?",
    },
)
MEASURE = Choice("measure", MEASURE_KEYS[0], MEASURE_KEYS, "Measure")
MEASURED_ON = view("measured_on", {"sentence": "The sentence", "repeats": "Random tokens, twice"})
AT_LEAST = Choice("at_least", 0, range(101), widget=slider)  # percent
SILENCED = view(
    "silence",
    {"brightest": "Silence the brightest head", "chosen": "Silence the chosen head"},
)

CHOICES = (VIEW, MEASURE, MEASURED_ON, AT_LEAST, SILENCED)
