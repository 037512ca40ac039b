# Each target is a command of run.py, which also works without make: `python3 run.py TARGET NAME=VALUE`.
# Only variables of the command line count, not the environment's.

define HELP
make COMMAND NAME=VALUE ..., or without make: python3 run.py COMMAND NAME=VALUE ...

  run          run the bot on this machine, and a page to talk to it; BOT=examples/dialog runs another
  test         test the base and the bot, five minutes; ALL=1 runs all tests, 35 minutes
  check        check lint, format, types, import rules and words
  package      build and check what runs in Azure: artifacts/package and package.zip
  app-package  build the zip that is uploaded to Teams: artifacts/app-package.zip
  azure        run a local Azure with a bot that has a secret, to try `bot migrate` and az
  playground   run the bot without authentication, in Microsoft's Agents Playground
  constraints  pin what the packages of the base, of the bot and of azd's hooks need
  setup        install what these need
  clean        remove everything that was installed or built

python3 run.py COMMAND --help lists the options of one: --chat-port 4000 is CHAT_PORT=4000 here.
For maintainers: bench collector format picture portable recording runbooks smoke template
endef
export HELP

TARGETS := run azure playground test smoke portable check runbooks collector bench format package app-package \
	constraints picture recording setup template clean

# Any Python will do; run.py looks for one that is new enough.
PYTHONS := .venv/bin/python python3 python3.13 python
PYTHON := $(shell for each in $(PYTHONS); do "$$each" -c "" 2>/dev/null && echo "$$each" && break; done)

QUOTED = '$(subst ','\'',$(1))'
GIVEN = $(foreach name,$(filter-out -% HELP,$(.VARIABLES)),$(if $(filter command,$(origin $(name))),$(call QUOTED,$(name)=$($(name)))))

.DEFAULT_GOAL := help
.PHONY: help $(TARGETS)

help:
	@echo "$$HELP"

$(TARGETS):
ifeq ($(PYTHON),)
	@echo "Python 3.13 is missing: install it (Debian: apt-get install python3.13-venv)."; exit 1
else
	@exec $(PYTHON) run.py $@ $(GIVEN)
endif
