"""The walls of the house: who may import whom, at import time and anywhere in the code."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from importlib.util import find_spec

import grimp
from importlinter.cli import lint_imports

import gptviz

# These need torch; every other module, of today or later, must import without it.
NEED_TORCH = {
    "analysis",
    "book",
    "cache",
    "loading",
    "model",
    "initialisation",
    "training",
    "training_state",
    "training_step",
    "weights",
    "tracing",
}

# What a page has no business with: numbers are made in gptviz, pictures in gptviz.figures.
NOT_IN_A_PAGE = {
    "jaxtyping",
    "math",
    "matplotlib",
    "numpy",
    "pandas",
    "plotly",
    "safetensors",
    "scipy",
    "statistics",
    "tiktoken",
    "torch",
    "torchinfo",
    "transformers",
}


def modules():
    """Every module of the package that is there now."""
    return [found.name for found in pkgutil.walk_packages(gptviz.__path__, "gptviz.")]


# In a package that needs torch, these don't: page and terminal know them before it is there.
WITHOUT_TORCH = {
    "gptviz.analysis.measure_keys",
    "gptviz.analysis.stations",
    "gptviz.tracing.changes",
    "gptviz.tracing.passes",
}


def without_torch():
    return [
        name for name in modules() if name.split(".")[1] not in NEED_TORCH or name in WITHOUT_TORCH
    ]


def pages(root):
    return [root / "app.py", *sorted((root / "pages").glob("*.py"))]


def imported(code):
    """The full names of all modules a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_contracts_are_kept(root, capfd):
    kept = lint_imports(str(root / "pyproject.toml"), cache_dir=None)
    assert kept == 0, capfd.readouterr().out


def test_pages_import_neither_torch_nor_tools_for_numbers(root):
    found = pages(root)
    assert {"app", "tokens", "activations", "attention", "prediction", "parameters"} <= {
        place.stem for place in found
    }
    for place in found:
        packages = {name.split(".")[0] for name in imported(place.read_text(encoding="utf-8"))}
        assert not packages & NOT_IN_A_PAGE, f"{place.name}: {packages & NOT_IN_A_PAGE}"


ARITHMETIC = (ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult, ast.Sub)


def test_pages_do_not_calculate(root):
    """Adding strings is fine; maths belongs where it is tested."""
    for place in pages(root):
        code = ast.parse(place.read_text(encoding="utf-8"))
        sums = [n.lineno for n in ast.walk(code) if isinstance(getattr(n, "op", None), ARITHMETIC)]
        assert not sums, f"{place.name} calculates in lines {sums}"


def classes():
    """The name of every class of the package, and the module it is in."""
    for name in modules():
        place = find_spec(name).origin
        with open(place, encoding="utf-8") as file:
            code = ast.parse(file.read())
        yield from ((n.name, name) for n in ast.walk(code) if isinstance(n, ast.ClassDef))


def test_no_two_classes_have_one_name():
    found = {}
    for name, module in classes():
        found.setdefault(name, []).append(module)
    assert len(found) > 50
    assert not {name: places for name, places in found.items() if len(places) > 1}


# What a caller is told before each unit of work has one name, and another for the blocks of a pass.
BEFORE = {"before_each", "before_block"}


def test_what_is_called_before_each_unit_of_work_has_one_name():
    found = set()
    for name in modules():
        with open(find_spec(name).origin, encoding="utf-8") as file:
            code = ast.parse(file.read())
        found |= {n.arg for n in ast.walk(code) if isinstance(n, ast.arg)}
    assert {name for name in found if name.startswith("before_")} == BEFORE


def run_python(code, root):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120
    )


def test_what_draws_from_the_configuration_never_imports_torch(root):
    names = without_torch()
    # the fence means something only if these are behind it
    assert {"config", "counting", "diagram", "figures", "words", "defaults", "ui", "cli"} <= {
        name.split(".")[1] for name in names
    }
    code = f"""
import importlib, sys
for name in ["gptviz", *{names!r}]:
    importlib.import_module(name)
    if "torch" in sys.modules:
        sys.exit(f"importing {{name}} imports torch")
"""
    result = run_python(code, root)
    assert result.returncode == 0, result.stderr


def test_the_public_names_need_torch_only_where_they_use_it(root):
    code = """
import sys
from gptviz import PRESETS, GPTConfig, Ledger
print(Ledger(PRESETS["gpt3-175b"]).parameters, "torch" in sys.modules)
from gptviz import GPTModel
print("torch" in sys.modules)
"""
    result = run_python(code, root)
    count, before, after = result.stdout.split()
    assert int(count) > 174e9
    assert (before, after) == ("False", "True")


def test_the_list_of_torchs_own_modules_is_not_stale():
    """What is on the list and built does lead to torch, or it would not have to be there."""
    graph = grimp.build_graph("gptviz", include_external_packages=True, cache_dir=None)
    built = [name for name in NEED_TORCH if f"gptviz.{name}" in graph.modules]
    idle = [n for n in built if not graph.chain_exists(f"gptviz.{n}", "torch", as_packages=True)]
    assert built
    assert not idle


def test_the_first_picture_waits_for_no_package_of_numbers(root):
    """The app's first run, without a browser, up to where it reads the sentence."""
    code = """
import runpy, sys
from streamlit.components.v2.bidi_component.serialization import serialize_mixed_data
from streamlit.proto.BidiComponent_pb2 import BidiComponent
from gptviz.ui.birds_eye import diagram, page
from gptviz.ui.shell import frame
frame.warm_up = lambda: None
diagram._component = lambda data, **_: serialize_mixed_data(data, BidiComponent())
def stop(screen):
    sys.exit(" ".join({"numpy", "pandas", "pyarrow", "torch"} & sys.modules.keys()) or "none")
page.follow_up = stop
runpy.run_path("app.py", run_name="__main__")
"""
    result = run_python(code, root)
    assert result.stderr.splitlines()[-1] == "none"
