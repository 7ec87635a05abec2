# make run    the app, on 127.0.0.1 (PORT=8600 asks for a port)
# make test   every check and every test; what CI runs
# make check  format, lint, types, import fences
# make bench  the measured claims
# make clean  away with all that these made
#
# PYTHON=/path/to/python3 chooses the Python for .venv. On Linux the default build of torch brings
# CUDA and several GB with it; README.md says how to get the small CPU build instead.
# Needs nothing but /bin/sh and make 3.81.

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check

# Stamps: pip is asked again only when what it would be asked has changed.
APP := $(VENV)/.app-installed
DEV := $(VENV)/.dev-installed
BROWSER := $(VENV)/.browser-found

.PHONY: run test check bench clean

run: $(APP)
	$(PY) -m streamlit run app.py $(if $(PORT),--server.port $(PORT))

test: $(BROWSER) check
	$(PY) -m pytest

check: $(DEV)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

bench: $(BROWSER)
	$(PY) -m benchmarks

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(APP): requirements.txt pyproject.toml $(PY)
	$(PIP) install -r requirements.txt
	$(PIP) install --no-deps --editable .
	touch $@

$(DEV): requirements-dev.txt $(APP)
	$(PIP) install -r requirements-dev.txt
	touch $@

$(BROWSER): $(DEV) scripts/chromium.py
	$(PY) scripts/chromium.py
	touch $@

$(PY):
	@sh scripts/make_venv.sh $(VENV) $(PYTHON)
