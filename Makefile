# The commands are described in README.md. Everything that is installed goes to .venv and .cache.

CREDENTIAL ?= ManagedIdentity

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PLAYGROUND := .cache/playground/node_modules/.bin/agentsplayground

.PHONY: run test check format setup playground clean
.DEFAULT_GOAL := help

help:
	@echo "make run         the bot on this machine, and a chat page (CREDENTIAL=ManagedIdentity|Certificate)"
	@echo "make test        every test, the browser's too"
	@echo "make check       lint, format, types, import rules"
	@echo "make format      put the code into the project's format"
	@echo "make playground  the bot without authentication, in Microsoft's Agents Playground"
	@echo "make clean       remove what the set-up made"

setup: $(READY)

$(READY): requirements.txt requirements-dev.txt emulator/find_python.sh
	@python="$$(sh emulator/find_python.sh)" && rm -rf $(VENV) && "$$python" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(READY)

webchat: $(READY)
	@$(BIN)/python -m emulator.webchat --to .cache/webchat

run: webchat
	@exec $(BIN)/python -m emulator.local_run --credential $(CREDENTIAL)

test: webchat $(PLAYGROUND)
	@$(BIN)/python -m pytest

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/test_imports.py

format: $(READY)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .cache artifacts
