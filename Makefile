# The commands are described in README.md. Everything that is installed goes to .venv and .cache.

CREDENTIAL ?= ManagedIdentity
PORT ?= 7071
CHAT_PORT ?= 3979
PLAYGROUND_PORT ?= 56150
ROUNDS ?= 5
SECONDS ?= 1
ONLY ?=

PYTHON := .venv/bin/python
READY := .venv/.ready
BENCH := .cache/benchmarks/tools
PLAYGROUND := .cache/playground/.ready
PLAYGROUND_PACKAGE := @microsoft/m365agentsplayground@0.2.28

.DEFAULT_GOAL := help
.PHONY: help run test check bench format setup webchat playground clean

help:
	@echo "make run         the bot on this machine, and a chat page"
	@echo "                 CREDENTIAL=ManagedIdentity|Certificate|SignInVault|Federated"
	@echo "                 PORT=7071 CHAT_PORT=3979"
	@echo "make test        every test, the browser's too"
	@echo "make check       lint, format, types, import rules"
	@echo "make bench       the comparison with other bots, written to docs/benchmarks.md: half an hour"
	@echo "                 ROUNDS=5 SECONDS=1 ONLY=a regular expression"
	@echo "make format      put the code into the project's format"
	@echo "make playground  the bot without authentication, in Microsoft's Agents Playground"
	@echo "make clean       remove what the set-up made"

run: webchat
	@exec $(PYTHON) -m emulator.local_run \
		--credential $(CREDENTIAL) --port $(PORT) --chat-port $(CHAT_PORT)

test: webchat $(PLAYGROUND)
	@$(PYTHON) -m pytest

check: setup
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m pytest tests/test_imports.py

format: setup
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .

playground: setup $(PLAYGROUND)
	@exec $(PYTHON) -m emulator.playground --port $(PORT) --playground-port $(PLAYGROUND_PORT)

bench: $(BENCH)/.ready
	@exec $(BENCH)/bin/python -m benchmarks --rounds $(ROUNDS) --seconds $(SECONDS) --only "$(ONLY)"

setup: $(READY)

$(READY): requirements.txt requirements-dev.txt
	@python="$$(sh emulator/find_python.sh)" && rm -rf .venv && "$$python" -m venv .venv
	@echo "Installing the Python packages ..."
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(READY)

$(BENCH)/.ready: requirements.txt requirements-dev.txt benchmarks/requirements.txt
	@python="$$(sh emulator/find_python.sh)" && rm -rf $(BENCH) && "$$python" -m venv $(BENCH)
	@echo "Installing what the comparison needs ..."
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check \
		-r benchmarks/requirements.txt
	@touch $@

webchat: setup
	@$(PYTHON) -m emulator.webchat --to .cache/webchat

# Run as a tool under its own licence, never shipped. Without npm the Playground's test is skipped.
$(PLAYGROUND): Makefile
	@mkdir -p .cache/playground
	@if command -v npm >/dev/null; then \
		npm install --silent --no-audit --no-fund --prefix .cache/playground $(PLAYGROUND_PACKAGE) \
		&& touch $(PLAYGROUND); \
	else \
		echo "npm is missing: install node and npm for the Agents Playground."; \
	fi

clean:
	rm -rf .venv .cache artifacts
