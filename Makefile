# Every command makes its own environment in .venv; nothing but Python >= 3.11 and make is needed.
#
#   make demo [VIDEO=video.mp4] [QUERY="a red car"] [LIVE=1]    find moments in a long video
#   make test | test-all | lint | format | docs | bench | generate | table | picture | lock | clean
#   make test-ray       the Daft tests that need a Ray cluster; they run on two workers of this machine
#   make test-lowest    some tests, with the lowest versions that pyproject.toml allows
#   make release-check  builds wheel and sdist, checks both, installs the wheel in a new environment
#   make chaos [STORE=postgresql] [PROCESSES=3] [VIDEOS=200] [KILLS=20] [OUTAGE=120] [SEED=1]    ingestion under faults and kills

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
export UV_LINK_MODE := copy
export UV_NO_PROGRESS := 1
export DO_NOT_TRACK := 1
# Tests start many interpreters; without compiled files, each of them would spend most of its time on compiling.
unexport PYTHONDONTWRITEBYTECODE
export ANONYMIZED_TELEMETRY := False
UV := $(BIN)/uv pip
LOWEST := .venv-lowest
PACKAGES := twelvelabs_core twelvelabs_sandbox langchain_twelvelabs llama_index_twelvelabs daft_twelvelabs

# PYTHON=/path/to/python3 chooses one; else the newest suitable one on the PATH.
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	if $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; \
	then command -v $$p; break; fi; done)

# Passed through the environment, so that quotes and dollar signs in them have no effect.
override VIDEO := $(value VIDEO)
override QUERY := $(value QUERY)
export VIDEO QUERY

.PHONY: demo test test-all test-ray test-lowest lint format docs bench chaos generate table picture lock release-check clean

demo: $(VENV)/.ready-demo
	@$(BIN)/python -m examples.demo $(if $(VIDEO),--video="$$VIDEO") $(if $(QUERY),--query="$$QUERY") \
		$(if $(filter-out 0 no false,$(LIVE)),--live)

# More workers than cores, since tests often wait for servers, clocks and other processes.
test: $(VENV)/.ready
	$(BIN)/python -m pytest -n 5 --dist worksteal -m "not slow and not ray" $(TESTS)

# Slow tests run after all others; `make test test-all` runs each test once.
test-all: test
	$(BIN)/python -m pytest -n 4 --dist worksteal -m "slow and not ray" $(TESTS)

# One process: each of these tests uses both cores.
test-ray: $(VENV)/.ready-ray
	$(BIN)/python -m pytest -m ray $(or $(TESTS),tests/daft)

# Of everything that our dependencies do for us, a little: vectors, local media, both databases, both frameworks.
LOWEST_TESTS ?= tests/core/api/test_embed.py tests/core/ingest/test_segment_media.py tests/core/media/test_video_checks.py \
	tests/core/results/test_decode.py tests/core/store/test_store.py \
	tests/daft/test_segments.py tests/langchain/test_embeddings.py tests/langchain/test_loaders.py \
	tests/llama_index/test_embedding.py tests/llama_index/test_queries.py tests/llama_index/test_readers.py \
	tests/sandbox/test_engine_documents.py tests/sandbox/test_engine_probe.py
test-lowest: $(LOWEST)/.ready
	$(LOWEST)/bin/python -m pytest -n 2 --dist worksteal -m "not slow" $(LOWEST_TESTS)

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m tools.generate_sync_client --check
	$(BIN)/mypy $(foreach p,$(PACKAGES) examples.demo,-p $(p))

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The site, in docs/_build/html; a warning, such as a broken link or a name without a page, is an error.
docs: $(VENV)/.ready
	@$(BIN)/python -m sphinx -W --keep-going -n -q -d docs/_build/trees docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

# Minutes; each other script of the folder measures one thing in more detail.
bench: $(VENV)/.ready
	@$(BIN)/python benchmarks/report.py

STORE ?= sqlite
PROCESSES ?= 3
VIDEOS ?= 200
KILLS ?= 20
OUTAGE ?= 120
SEED ?= 1
chaos: $(VENV)/.ready
	@$(BIN)/python -m tests.chaos --store $(STORE) --processes $(PROCESSES) --videos $(VIDEOS) --kills $(KILLS) --outage $(OUTAGE) --seed $(SEED)

# The sync client, from the async one; `make lint` fails when it is outdated.
generate: $(VENV)/.ready
	$(BIN)/python -m tools.generate_sync_client

# The table of endpoints in docs/endpoints.md, from the code; a test fails when it is outdated.
table: $(VENV)/.ready
	$(BIN)/python -m tests.endpoint_table

# docs/demo.png, the demo's page in Chromium.
picture: $(VENV)/.ready
	$(BIN)/python -m tests.examples.picture

# A small lock for the demo and the full one for everything else, with the same versions.
$(VENV)/.ready-demo: requirements-demo.lock pyproject.toml | $(BIN)/uv
	@echo "Installing what the demo needs ..."
	@test -e $(VENV)/.ready || $(UV) install -q --python $(BIN)/python --require-hashes -r requirements-demo.lock
	@$(UV) install -q --python $(BIN)/python --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.ready: requirements.lock pyproject.toml | $(BIN)/uv
	@echo "Installing what tests and lint need ..."
	@$(UV) install -q --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) install -q --python $(BIN)/python --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.ready-ray: requirements-ray.lock $(VENV)/.ready
	@echo "Installing Ray ..."
	@$(UV) install -q --python $(BIN)/python --require-hashes -r requirements-ray.lock
	@touch $@

# The oldest suitable Python of the machine: such as Debian's, which is years older than the newest of its minor version.
OLDEST := import json, sys; \
	found = [one for one in json.load(sys.stdin) if (one["implementation"], one["variant"]) == ("cpython", "default")]; \
	print(min(found, key=lambda one: list(one["version_parts"].values()))["path"])
$(LOWEST)/.ready: requirements-lowest.lock pyproject.toml | $(BIN)/uv
	@python=$$($(BIN)/uv python list --only-installed --output-format json ">=3.11,<3.15" 2>/dev/null \
		| $(BIN)/python -c '$(OLDEST)') && \
		echo "Making $(LOWEST) with $$python ..." && $(BIN)/uv venv -q --clear --python "$$python" $(LOWEST)
	@$(UV) install -q --python $(LOWEST)/bin/python --require-hashes -r requirements-lowest.lock
	@$(UV) install -q --python $(LOWEST)/bin/python --no-build-isolation --no-deps -e .
	@touch $@

$(BIN)/uv:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.14 found. Install one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Making $(VENV) with $(PYTHON) ..."
	@"$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check "uv>=0.8"

# A lock for the demo, one for everything, and one of the lowest versions; the demo's versions are those of the second.
LOCK := $(UV) compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header pyproject.toml
lock: | $(BIN)/uv
	$(LOCK) --extra daft --extra evaluation --extra fast --extra langchain --extra llama-index --extra media --extra postgres \
		--extra sandbox --group demo --group test --group lint --group docs --group bench --group release --group build \
		-o requirements.lock
	$(LOCK) --extra langchain --extra media --extra sandbox --group demo --group build \
		-c requirements.lock -o requirements-demo.lock
	$(filter-out pyproject.toml,$(LOCK)) --group ray -c requirements.lock -o requirements-ray.lock
	$(LOCK) --resolution lowest-direct --extra daft --extra evaluation --extra fast --extra langchain --extra llama-index --extra media \
		--extra postgres --extra sandbox --group demo --group pytest --group build -o requirements-lowest.lock

# Needs git, and the package index for the new environment.
release-check: $(VENV)/.ready
	@$(BIN)/python -m tools.release_check

clean:
	rm -rf $(VENV) $(LOWEST) .chaos .demo .pytest_cache .ruff_cache .import_linter_cache .mypy_cache .hypothesis dist docs/_build
