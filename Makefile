# Needs only Python (3.11 or newer, with venv) and make; the rest is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: curve labs test test-slow test-browser test-cluster lint bench docs clean

# The main job: measure the capacity curve on this machine and draw it.
curve: .venv/.installed
	$(BIN)/factcap curve --preset laptop --out out/curve

# The labs of the course, in a browser; out/labs holds them, with and without solutions.
labs: .venv/.installed-labs
	$(BIN)/python -m labs

test: .venv/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -n auto --dist loadfile

# Everything, the tests that take minutes too.
test-slow: .venv/.installed-test
	HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -n auto --dist loadfile -m "not browser"

# The site, which is built first, the explorer and a lab, in Chromium (Debian: apt install chromium).
test-browser: .venv/.installed-browser docs
	$(BIN)/python -m pytest -m browser tests/browser

# Sweeps on a Ray cluster of two nodes, started on this machine.
test-cluster: .venv/.installed-cluster
	$(BIN)/python -m pytest -m slow tests/faults/test_ray.py

# Type checking; pyright and tsc need Node.js.
lint: .venv/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	npx --yes --package typescript@5.9 tsc --project docs/explore

# Our training engine against PyTorch, side by side; some 20 minutes on 2 cores.
bench: .venv/.installed-bench
	$(BIN)/python -m benchmarks.compare

# The site, into out/site; a dead link, a warning, a missing page or a load from elsewhere fails it.
docs: .venv/.installed-docs
	rm -rf out/site out/doctrees
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -d out/doctrees docs out/site
	$(BIN)/python -m docs.extensions.check out/site
	@echo out/site/index.html

.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[cities]"
	touch $@

.venv/.installed-test: .venv/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	touch $@

.venv/.installed-labs: .venv/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[labs]"
	touch $@

.venv/.installed-browser: .venv/.installed-test
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[browser]"
	touch $@

.venv/.installed-bench: .venv/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[bench]"
	touch $@

.venv/.installed-docs: .venv/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	touch $@

.venv/.installed-cluster: .venv/.installed-test
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[cluster]"
	touch $@

clean:
	rm -rf .venv out
