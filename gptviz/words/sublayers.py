"""What attention and feed-forward do to the stream, with placeholders and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gptviz.anatomy import Part, find
from gptviz.config import GPTConfig
from gptviz.words.notation import NORM_1, NORM_2, normed


@dataclass(frozen=True)
class Sublayer:
    """How one is spoken of.

    Args:
        name: in plain words.
        number: of its norm and its shortcut.
        norm: what it reads the stream through, in LaTeX.
        before, after: the stream there, in LaTeX.
    """

    name: str
    number: int
    norm: str
    before: str
    after: str


SUBLAYERS = {  # by the role of the shortcut around it
    "attention": Sublayer(
        "attention", 1, NORM_1, r"\text{resid\_pre}", r"\text{resid\_mid}"
    ),
    "feed_forward": Sublayer(
        "feed-forward", 2, NORM_2, r"\text{resid\_mid}", r"\text{resid\_post}"
    ),
}  # fmt: skip


def stream_after(config: GPTConfig, role: str, x: str = "x") -> str:
    """The stream after a sublayer, as a formula of the stream ``x`` before it."""
    said = SUBLAYERS[role]
    read = normed(config, said.norm, x)
    made = rf"\text{{{said.name}}}({read})" if config.has(role) else read
    if config.has("shortcut"):
        return f"{x} + {made}" if config.has(role) else x
    return made


def shortcut_formula(config: GPTConfig, shortcut: Part) -> str:
    """The stream after a shortcut, or after the place where there is none."""
    said = SUBLAYERS[shortcut.role]
    return f"{said.after} = {stream_after(config, shortcut.role, said.before)}"


def block_formula(config: GPTConfig, block: Part) -> str:
    """What a block does to the stream, a line for each time."""
    lines = [rf"x &\leftarrow {stream_after(config, role)}" for role in _changing(config, block)]
    if not lines:
        return r"x \leftarrow x"
    return r"\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}"


def block_does(config: GPTConfig, block: Part) -> str:
    """The same as a sentence."""
    roles = _changing(config, block)
    if not roles:
        return "Passes the stream on unchanged: nothing that would change it is built."
    if not config.has("shortcut"):
        return _replaces(config, roles)
    if len(roles) == 1:
        return f"Reads the residual stream and adds to it once: what {_name(roles[0])} makes of it."
    first, second = map(_name, roles)
    return f"Reads the residual stream and adds to it twice: {first} first, {second} second."


def block_in_brief(config: GPTConfig) -> str:
    """The same as a note of a few words."""
    roles = _changing(config, find(config, "blocks.0"))
    if not roles:
        return "passes the stream on unchanged"
    what = "adds to it" if config.has("shortcut") else "replaces it"
    return f"reads the stream and {what}, {'twice' if len(roles) > 1 else 'once'}"


def _changing(config: GPTConfig, block: Part) -> list[str]:
    """Those sublayers of a block that change the stream."""
    roles = [part.role for part in block.inside if part.does == "shortcut"]
    return [role for role in roles if stream_after(config, role) != "x"]


def _replaces(config: GPTConfig, roles: Sequence[str]) -> str:
    by = [
        f"what {_name(role)} makes of it" if config.has(role) else "its normalized form"
        for role in roles
    ]
    different = dict.fromkeys(by)
    twice = ", twice" if len(different) < len(by) else ""
    return f"Replaces the stream with {', then with '.join(different)}{twice}."


def _name(role: str) -> str:
    return SUBLAYERS[role].name
