# Each target is a command of run.py, which also works without make: `python run.py TARGET VAR=...`.
# workbench/bot_workbench/targets has them all. Only variables of the command line count, not the environment's.

TARGETS := run azure playground test smoke portable check runbooks collector bench format package app-package \
	constraints picture recording setup clean

# Any Python will do; run.py looks for one that is new enough.
PYTHONS := .venv/bin/python python3 python3.13 python
PYTHON := $(shell for each in $(PYTHONS); do "$$each" -c "" 2>/dev/null && echo "$$each" && break; done)

QUOTED = '$(subst ','\'',$(1))'
GIVEN = $(foreach name,$(filter-out -%,$(.VARIABLES)),$(if $(filter command,$(origin $(name))),$(call QUOTED,$(name)=$($(name)))))

.DEFAULT_GOAL := help
.PHONY: help $(TARGETS)

help $(TARGETS):
ifeq ($(PYTHON),)
	@echo "Python 3.13 is missing: install it (Debian: apt-get install python3.13-venv)."; exit 1
else
	@exec $(PYTHON) run.py $@ $(GIVEN)
endif
