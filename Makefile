# What one types most often; `make` alone shows the list.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

# Coding runs on the processor, so the build of torch for processors is tried first: the default one
# for Linux carries gigabytes of GPU libraries. To train on a GPU, start from an empty environment:
#   make clean && make TORCH_INDEX=https://pypi.org/simple train ...
TORCH ?= torch==2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

C_FILES = $(wildcard $(addsuffix /*.[ch],bitswap_cli/ans/native models/exact/native \
	models/exact/native/* tests/native))

.DEFAULT_GOAL := help
.PHONY: help demo test lint sanitize bench train clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/ready ## Compress photographs with the embedded model, restore them, prove equality
	$(BIN)/python benchmarks/demo.py

test: lint ## Lint, types and every test
	$(BIN)/python -m pytest

lint: $(VENV)/ready ## ruff, mypy --strict and clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=$(VENV)/types $(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(C_FILES)

sanitize: $(VENV)/ready ## Tests of the C kernels under AddressSanitizer and UBSan
	$(BIN)/python tests/native/sanitize.py

bench: $(VENV)/ready ## Compare with other codecs: make bench DATA="photos sheets:32" (see bench.py)
	$(BIN)/python benchmarks/bench.py $(DATA)

train: $(VENV)/ready ## Train a model: make train RECIPE=recipe.toml DATA=folder MODEL=file
	$(BIN)/bitswap train $(RECIPE) $(DATA) -o $(MODEL)

clean: ## Remove the virtual environment and everything built
	rm -rf $(VENV) build *.egg-info bitswap_cli/ans/*.so models/exact/*.so

# Made again when the dependencies or the C kernel change. mypy finds packages by their folders, and
# bitswap_models is kept in models/: hence the link.
$(VENV)/ready: setup.cfg setup.py pyproject.toml $(C_FILES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-deps --retries 1 --index-url $(TORCH_INDEX) '$(TORCH)' \
		|| $(BIN)/pip install --quiet '$(TORCH)'
	$(BIN)/pip install --quiet -e '.[dev]'
	mkdir -p $(VENV)/types && ln -sfn "$(CURDIR)/models" $(VENV)/types/bitswap_models
	touch $@
