"""The screen as one HTML file: it needs no server, no network and no gptviz.

The diagram level by level, what there is to say of every part, and the figures of the sentence.
The pictures of the model are SVG, the formulas MathML: they are there without any script. Figures
are plotly's, as on the pages, so that exact values can be read under the pointer; its script is in
the file once. A policy in the file's head lets no other script run and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gptviz.config import GPTConfig
from gptviz.counting.costs import size
from gptviz.counting.formulas import parameters_formula
from gptviz.counting.ledger import FP32_BYTES, Ledger
from gptviz.diagram.facts import Fact, costs, doors
from gptviz.diagram.layout import lay_out
from gptviz.diagram.parts import Piece, can_open, level_of
from gptviz.diagram.style import style
from gptviz.diagram.svg import escaped, to_svg
from gptviz.diagram.view import Outcome, View
from gptviz.figures.embed import as_json, plotly_script
from gptviz.figures.theme import LIGHT
from gptviz.words.code import code_of
from gptviz.words.mathml import mathml

if TYPE_CHECKING:
    import plotly.graph_objects as go

IN_A_BLOCK = ("", ".norm1", ".attention", ".feed_forward")


@dataclass(frozen=True)
class Shown:
    """A figure of the sentence, and the words beside it."""

    title: str
    about: str
    figure: go.Figure


@dataclass(frozen=True)
class Sheet:
    """What a handout is made of.

    Args:
        title: the model's name and where its weights come from.
        text: the sentence, as it was typed.
        link: the address that leads back to the screen.
        views: levels of the diagram, the one on the screen first; all of one configuration.
        missing: why there are no numbers; empty if there are.
        next_tokens: the likeliest next tokens and their probabilities.
        figures: of the sentence.
        outcomes: by the path of the part.
        decimal: sizes in MB instead of MiB.
    """

    title: str
    text: str
    link: str
    views: Sequence[View]
    missing: str = ""
    next_tokens: Sequence[tuple[str, float]] = ()
    figures: Sequence[Shown] = ()
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    decimal: bool = False


def levels(view: View, layer: int) -> list[str]:
    """What a handout opens: what is open now, then the whole and each level of one block."""
    block = f"blocks.{layer}"
    paths = ["", "embeddings", *(block + inside for inside in IN_A_BLOCK), "out_head"]
    all_ = dict.fromkeys([view.opened, *paths])
    return [path for path in all_ if can_open(view.config, path)]


def explained(views: Sequence[View]) -> dict[str, list[str]]:
    """The parts to explain under each level: each part once, where it can be seen from nearest."""
    opened = [view.opened for view in views]
    found: dict[str, list[str]] = {level: [] for level in opened}
    shown = (box.path for view in views for box in lay_out(view).boxes)
    blocks = {f"blocks.{view.layer}" for view in views}
    for path in dict.fromkeys([*filter(None, opened), *shown]):
        if path.startswith("blocks.") and ".".join(path.split(".")[:2]) not in blocks:
            continue  # a neighbour: it is as the one that is open
        level = max((each for each in opened if _holds(views[0].config, each, path)), key=len)
        found[level].append(path)
    return found


def _holds(config: GPTConfig, level: str, path: str) -> bool:
    return level in ("", path, level_of(config, path)) or path.startswith(f"{level}.")


def handout(sheet: Sheet) -> str:
    """The file's text.

    Everything from a person is escaped; nothing in it can run, for scripts run by their hash.
    """
    parts = explained(sheet.views)
    scripts = [plotly_script(), _asset("handout.js")] if sheet.figures else []
    body = [
        _heading(sheet),
        *(_level(sheet, view, parts) for view in sheet.views),
        _of_the_sentence(sheet),
        *(f"<script>{script}</script>" for script in scripts),
    ]
    css = f"{_asset('handout.css')}\n{style(LIGHT)}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(sheet.title)} · gptviz</title>"
        f"<style>{css}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _policy(scripts: Iterable[str]) -> str:
    """Nothing is fetched, and no script runs but these."""
    hashes = (hashlib.sha256(script.encode()).digest() for script in scripts)
    allowed = [f"'sha256-{base64.b64encode(found).decode()}'" for found in hashes] or ["'none'"]
    return (
        f"default-src 'none'; script-src {' '.join(allowed)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")


def _heading(sheet: Sheet) -> str:
    view = sheet.views[0]
    ledger, n = Ledger(view.config), len(view.ids)
    note = f'<p class="note">{escaped(sheet.missing)}</p>' if sheet.missing else ""
    items = [(f"level-{view.opened}", _level_name(view)) for view in sheet.views]
    items += [("sentence", "The sentence")] if not sheet.missing else []
    contents = "".join(f'<a href="#{escaped(at)}">{escaped(name)}</a>' for at, name in items)
    sentence = f"<blockquote>{escaped(sheet.text)}</blockquote>" if sheet.text else ""
    return (
        "<header><h1>A GPT from above</h1>"
        f'<p class="lead"><b>{escaped(sheet.title)}</b> · {ledger.parameters:,} parameters · '
        f"{n:,} token{'' if n == 1 else 's'}</p>{sentence}{note}"
        f'<p class="quiet">Back to this screen: <a href="{escaped(sheet.link)}">'
        f"<code>{escaped(sheet.link)}</code></a> (where gptviz runs at this address)</p>"
        f'<div class="facts">{_table(_configuration(view))}'
        f"{_table(_totals(sheet, ledger, n))}</div>"
        f"{mathml([parameters_formula(view.config)])}<nav>{contents}</nav></header>"
    )


def _configuration(view: View) -> list[Fact]:
    values = view.config.as_dict()
    values["placeholders"] = ", ".join(values["placeholders"]) or "none"
    return [(name, str(value)) for name, value in values.items()]


def _totals(sheet: Sheet, ledger: Ledger, n_tokens: int) -> list[Fact]:
    weights = size(ledger.weight_bytes(FP32_BYTES), sheet.decimal)
    cache = size(ledger.kv_cache_bytes(1), sheet.decimal)
    rows = [
        ("parameters, untied", f"{ledger.parameters_untied:,}"),
        ("parameters, tied", f"{ledger.parameters_tied:,}"),
        ("parameters, non-embedding", f"{ledger.parameters_non_embedding:,}"),
        ("weights in fp32", weights),
        ("KV cache a token, fp16", cache),
    ]
    flops = ledger.flops(n_tokens)
    work = [
        ("FLOPs of a forward pass, all positions scored", f"{flops.total:,}"),
        ("of which attention, over all pairs", f"{flops.attention:,}"),
    ]
    return rows + (work if n_tokens else [])


def _table(rows: Iterable[Fact]) -> str:
    lines = (f"<tr><th>{escaped(name)}</th><td>{escaped(value)}</td></tr>" for name, value in rows)
    return f"<table>{''.join(lines)}</table>"


def _level_name(view: View) -> str:
    if not view.opened:
        return "The whole model"
    return _name(view.part(view.opened))


def _name(piece: Piece) -> str:
    pieces = piece.path.split(".")
    is_block = pieces[0] == "blocks" and len(pieces) == 2
    return f"Block {pieces[1]}" if is_block else piece.entry.name


def _level(sheet: Sheet, view: View, parts: Mapping[str, list[str]]) -> str:
    known = {path for paths in parts.values() for path in paths}

    def address(path: str) -> str:
        return f"#part-{path if path in known else 'blocks'}"

    articles = "".join(_part(sheet, view.part(path)) for path in parts[view.opened])
    now = ' <span class="quiet">as on the screen</span>' if view is sheet.views[0] else ""
    return (
        f'<section id="level-{view.opened}"><h2>{escaped(_level_name(view))}{now}</h2>'
        f'<div class="picture">{to_svg(lay_out(view), address=address)}</div>'
        f'<div class="parts">{articles}</div></section>'
    )


def _part(sheet: Sheet, piece: Piece) -> str:
    view, entry = sheet.views[0], piece.entry
    facts = doors(piece) + costs(view.config, piece, len(view.ids), sheet.decimal)
    rows = "".join(f"<dt>{name}</dt><dd>{escaped(value)}</dd>" for name, value in facts)
    in_model = piece.path in Ledger(view.config).paths()
    where = f" In the model: <code>{escaped(piece.path)}</code>." if in_model else ""
    reason = "What it is for" if piece.placeholder else "Why it is there"
    return (
        f'<article id="part-{escaped(piece.path)}"><h3>{escaped(_name(piece))}</h3>'
        f"<p>{escaped(entry.what)}</p>"
        f"<p><b>{reason}.</b> {escaped(entry.why)}</p>{mathml(entry.lines)}"
        f"<dl>{rows}</dl>{_outcome(sheet.outcomes.get(piece.path))}{_code(view.config, piece.path)}"
        f'<p class="quiet">In the field: {escaped(entry.term)}.{where}</p></article>'
    )


def _outcome(found: Outcome | None) -> str:
    if found is None:
        return ""
    about = escaped(found.about)
    return (
        f'<img src="{escaped(found.picture)}" alt="{about}"><p class="quiet">{about}, orange '
        f"above 0 and blue below. {escaped(found.statistics)}</p>"
    )


def _code(config: GPTConfig, path: str) -> str:
    found = code_of(config, path)
    if found is None:
        return ""
    where, lines = found
    return (
        f"<details><summary>The code</summary><pre><code>{escaped(lines)}</code></pre>"
        f'<p class="quiet">gptviz/{escaped(where)}</p></details>'
    )


def _of_the_sentence(sheet: Sheet) -> str:
    if sheet.missing:
        return ""
    figures = "".join(map(_figure, sheet.figures))
    guesses = _guesses(sheet.next_tokens) if sheet.next_tokens else ""
    return (
        '<section id="sentence"><h2>What the model makes of the sentence</h2>'
        f"{guesses}{figures}</section>"
    )


def _figure(shown: Shown) -> str:
    return (
        f"<h3>{escaped(shown.title)}</h3><p>{escaped(shown.about)}</p>"
        f'<div class="figure" role="img" aria-label="{escaped(shown.about)}"></div>'
        f'<script type="application/json">{as_json(shown.figure)}</script>'
    )


def _guesses(guesses: Sequence[tuple[str, float]]) -> str:
    rows = "".join(
        f"<tr><td>{place}</td><td><code>{escaped(label)}</code></td><td>{share:.4f}</td>"
        f'<td><span class="bar" style="width:{share:.2%}"></span></td></tr>'
        for place, (label, share) in enumerate(guesses)
    )
    return (
        "<h3>The likeliest next tokens</h3><p>What the model expects after the sentence: shares "
        "of the whole vocabulary’s probability, which sums to 1.</p>"
        f'<table class="bars">{rows}</table>'
    )
