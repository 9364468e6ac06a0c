# Hotline: everything from a fresh clone with Python 3.11 or later, make and a package index. `make` alone lists the commands.
PYTHON ?= python3
# The environment first (.venv, made and kept up to date), then Python of it with what follows.
BOOT = @exec $(PYTHON) -I hotline/boot/environment.py
# For make test, bench and check: options of the tool behind, as in make test ARGS="tests/sms -x"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test check bench format messages lock

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s%s\n", $$1, $$2 }' Makefile

run: ## the demo: database, broker, web, worker; prints the address and the logins (PORT=8000)
	$(BOOT) -m hotline.boot run

test: ## the whole suite, on servers of its own (ARGS="tests/sms -x" for a part of it)
	$(BOOT) -m hotline.boot test $(ARGS)

check: ## ruff, mypy, djlint, import-linter, missing migrations, catalogue, deploy checks
	$(BOOT) -m hotline.boot check $(ARGS)

bench: ## the benchmarks, each as a ratio to raw SQL in the same run
	$(BOOT) -m hotline.boot bench $(ARGS)

format: ## put the code into its one shape
	$(BOOT) -m ruff format .

messages: ## collect the messages into the Russian catalogue, and compile it
	$(BOOT) -m hotline.boot.catalogue collect

lock: ## pin the requirements anew from pyproject.toml, with hashes and without any index address
	$(BOOT) -m hotline.boot.lock
