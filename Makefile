# What one types most often. `make` alone shows the list.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

# The processor-only build of torch: the default build for Linux carries gigabytes of GPU libraries,
# which coding never uses. For training on a GPU: make TORCH_INDEX=https://pypi.org/simple train ...
TORCH ?= torch==2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench train clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/ready ## Compress photographs with the embedded model, restore them, prove equality
	$(BIN)/python benchmarks/demo.py

test: lint ## Lint, types and every test
	$(BIN)/python -m pytest

lint: $(VENV)/ready $(VENV)/types/bitswap_models ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=$(VENV)/types $(BIN)/mypy

bench: $(VENV)/ready ## Compare with other codecs on a folder: make bench DATA=folder
	$(BIN)/python benchmarks/peers.py $(DATA)

train: $(VENV)/ready ## Train a model: make train RECIPE=recipe.toml DATA=folder MODEL=out.safetensors
	$(BIN)/bitswap train $(RECIPE) $(DATA) -o $(MODEL)

clean: ## Remove the virtual environment and what was built
	rm -rf $(VENV) build *.egg-info bitswap_cli/ans/*.so

# Remade when the dependencies or the C kernel change.
$(VENV)/ready: setup.cfg setup.py pyproject.toml $(wildcard bitswap_cli/ans/*.c)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --extra-index-url $(TORCH_INDEX) '$(TORCH)'
	$(BIN)/pip install --quiet -e '.[dev]'
	touch $@

# mypy finds packages by their folders; bitswap_models is kept in models/.
$(VENV)/types/bitswap_models:
	mkdir -p $(@D) && ln -sfn "$(CURDIR)/models" $@
