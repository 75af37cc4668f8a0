# make demo PHOTOS=folder   set everything up, run the whole graph, print where the report is
# make demo-web             collect from five stand-ins for web sources, on this machine
# make test                 set everything up, run linters, types and all tests
# make dev PHOTOS=folder    the Dagster UI with its daemon, on 127.0.0.1 (PHOTOS: or JEWEL_PHOTOS in .env)

PYTHON ?= python3.11
EXTRAS ?= dev
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 3000

export DAGSTER_HOME := $(CURDIR)/.dagster
ifdef PHOTOS
export JEWEL_PHOTOS := $(PHOTOS)
endif
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export DO_NOT_TRACK := 1

.PHONY: set-up demo demo-web dev test lint types lock clean help
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile

set-up: $(VENV)/.set-up-$(EXTRAS) $(DAGSTER_HOME)/dagster.yaml

# The stamp says with which files the environment was made; `import rembg` compiles for up to a minute the first time.
$(VENV)/.set-up-$(EXTRAS): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: install it, or run make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[$(EXTRAS)]"
	$(BIN)/python -c "import rembg, mediapipe, cv2" >/dev/null
	touch $@

$(DAGSTER_HOME)/dagster.yaml: dagster.yaml
	mkdir -p $(DAGSTER_HOME)
	ln -sf ../dagster.yaml $@

demo: set-up
	@$(BIN)/jewel models fetch || echo "The demo goes on with the models that are here, and says what it could not do."
	$(BIN)/python -m jewel_assets.defs.demo

demo-web: set-up
	$(BIN)/python -m jewel_assets_tests.fakes

dev: set-up
	$(BIN)/dg dev --host 127.0.0.1 --port $(PORT)

test: set-up lint types
	$(BIN)/dg check defs
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: set-up
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: set-up
	$(BIN)/mypy

# New versions: install what resolves today, then write down what it was.
lock:
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet --editable ".[dev,ml,s3,server]"
	build/lock/bin/pip freeze --exclude-editable | sed '/@ /d' > constraints.txt

clean:
	rm -rf $(VENV) .dagster .pytest_cache .mypy_cache .ruff_cache build
