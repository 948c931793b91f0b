# What one types most often; `make` alone shows the list.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

# Training and tests need torch. It comes from where pip is set up to look, or from the index that
# TORCH_INDEX names: the default build for Linux carries gigabytes of GPU libraries, and the small
# one has an index of its own, which https://pytorch.org/get-started tells.
TORCH ?= torch==2.13.0
TORCH_INDEX ?=
FROM = $(if $(TORCH_INDEX),--no-deps --index-url $(TORCH_INDEX))

# How long `make fuzz` goes on, and which mutants it tries.
SECONDS ?= 60
SEED ?= 0

C_FILES = $(shell find bitswap_cli models tests -name '*.[ch]')

.DEFAULT_GOAL := help
.PHONY: help demo test lint sanitize fuzz faults structure map bench train wheel clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/ready ## Compress photographs with the embedded model, restore them, prove equality
	$(BIN)/python -m benchmarks.demo

test: lint ## Lint, types and every test
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(VENV)/dev ## ruff, mypy --strict and clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=$(VENV)/types $(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(C_FILES)

sanitize: $(VENV)/dev ## Tests of the C kernels under AddressSanitizer and UBSan
	$(BIN)/python tests/native/sanitize.py

fuzz: $(VENV)/dev ## Try mutants of archives, models, pictures and texts: make fuzz SECONDS=600
	$(BIN)/python -m tests.fuzz.campaign --seconds $(SECONDS) --seed $(SEED)

faults: $(VENV)/dev ## Kill commands, and let system calls fail, at each call that changes a file
	$(BIN)/python -m tests.faults.campaign

structure: $(VENV)/dev ## Hold the files against the plan of the house: doors, sizes, lines of prose
	$(BIN)/python -m pytest tests/structure

map: $(VENV)/dev ## Show the house: rooms, floors, circles and broken doors
	$(BIN)/python -m tests.structure.map

bench: $(VENV)/dev ## Compare with other codecs: make bench DATA="photos sheets:32"
	$(BIN)/python -m benchmarks.peers.bench $(DATA)

train: $(VENV)/dev ## Train a model: make train RECIPE=recipe.toml DATA=folder MODEL=file
	$(BIN)/bitswap train $(RECIPE) $(DATA) -o $(MODEL)

wheel: $(VENV)/bin/pip ## Build one wheel for every Python on this kind of machine, into dist/
	rm -rf build
	BITSWAP_KERNELS=needed $(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## Remove the virtual environment and everything built
	rm -rf $(VENV) build dist *.egg-info
	find bitswap_cli models -name '_kernel*.so' -delete

# Made again when the dependencies or the C kernels change: `ready` to use bitswap, `dev` to work on
# it. mypy finds packages by their folders, and bitswap_models is kept in models/: hence the link.
BUILT_FROM = setup.cfg setup.py pyproject.toml $(filter-out tests/%,$(C_FILES))

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: $(VENV)/bin/pip $(BUILT_FROM)
	$(BIN)/pip install --quiet -e '.[demo]'
	touch $@

$(VENV)/dev: $(VENV)/bin/pip $(BUILT_FROM)
	$(BIN)/pip install --quiet $(FROM) '$(TORCH)'
	$(BIN)/pip install --quiet -e '.[dev,train]'
	mkdir -p $(VENV)/types && ln -sfn "$(CURDIR)/models" $(VENV)/types/bitswap_models
	touch $@ $(VENV)/ready
