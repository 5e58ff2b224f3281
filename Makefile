# The project's commands; `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Warnings are errors here, and an import that Package.swift does not draw is one too.
export STRICT := 1
SWIFT_FLAGS := --explicit-target-dependency-import-check error
RELEASE_FLAGS := -c release --static-swift-stdlib $(SWIFT_FLAGS)
SOURCES := Sources Tests Package.swift
VENV := .venv

# STORE=postgres: the end-to-end tests give each server a database of one PostgreSQL instead of a directory.
export TEST_STORE := $(or $(STORE),sqlite)

.PHONY: help deps deps-build build test test-swift test-end-to-end test-plain demo run deb format lint check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install the Debian packages that are missing (root or sudo, only if any is)
	@deploy/deps.sh

deps-build: ## install the Debian packages that the build needs (root or sudo, only if any is missing)
	@deploy/deps.sh build

build: deps-build ## build pspd and pspctl for use, in .build/release/
	swift build $(RELEASE_FLAGS) --product pspd
	swift build $(RELEASE_FLAGS) --product pspctl

test: deps test-swift test-end-to-end test-chaos ## run all tests (STORE=postgres: end to end on a store that nodes share)

define swift-test
swift build --build-tests $(SWIFT_FLAGS) $(1)
Tests/swift-tests.sh '$(or $(NAME),$(2))' '$(SKIP)' $(SWIFT_FLAGS) $(1)
endef

# $(1): where the programs are. Two at a time, since most of a test's time is waiting; those that need the machine alone.
define test-end-to-end
export PSPD=$(1)/pspd PSPCTL=$(1)/pspctl PSPBENCH=$(1)/pspbench; $(if $(NAME),\
	$(VENV)/bin/pytest Tests/EndToEnd -k '$(NAME)',\
	$(VENV)/bin/pytest Tests/EndToEnd -m 'not heavy and not alone' -n 2 --dist worksteal && $(VENV)/bin/pytest Tests/EndToEnd -m 'heavy or alone')
endef

test-swift: ## run the Swift tests (NAME=X: only those that match)
	$(call swift-test)

test-end-to-end: build $(VENV)/ready ## run the real server with stock clients, and the samples (NAME=X: only those that match; STORE=postgres)
	$(call test-end-to-end,.build/release)

test-plain: export PSP_HTTP_PLAIN := 1
test-plain: build bench-build $(VENV)/ready ## run what concerns HTTP and sockets on what libevent promises alone (as --http-plain 1 does)
	$(call swift-test,,LibeventTests|WebTests|PushAPITests)
	$(call test-end-to-end,.build/release)

$(VENV)/ready: Tests/EndToEnd/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

include Tests/sanitizers.mk Tests/Chaos/chaos.mk Tests/Rehearsal/rehearsal.mk Tests/Fuzz/fuzz.mk Benchmarks/bench.mk

demo: ## show it all at work: set up, build, push to devices, clean up (NODES=3: several nodes on PostgreSQL, some of which die)
	@$(if $(NODES),deploy/demo-nodes.sh $(NODES),deploy/demo.sh)

deb: build ## make a Debian package of them, in .build/deb/ (needs debhelper, chrpath; DEBFULLNAME, DEBEMAIL: who makes it)
	deploy/deb.sh

run: build ## run the server on its default ports, with its data in ./data
	.build/release/pspd

format: ## format the sources
	swift format -i -p -r $(SOURCES)

# Modules that handle texts which somebody outside chose.
OUTSIDE := Base JSON MQTT Postgres PostgresStore Push StoreCopying StoreCore SQLiteStore Web PushAPI Gateway

# The formatter passes over comments: lines that are too long are looked for here.
lint: deps ## check the sources' format, keys by text, the imports against Package.swift, and the documents' two languages
	swift format lint --strict -p -r $(SOURCES)
	@limit=$$(sed -n 's/.*"lineLength": *\([0-9]*\).*/\1/p' .swift-format); \
	if LC_ALL=C.UTF-8 grep -rnE --include='*.swift' "^.{$$((limit + 1)),}$$" $(SOURCES); then \
		echo "lint: these lines are longer than the $$limit columns of .swift-format" >&2; exit 1; \
	fi
	python3 Tests/Documents/languages.py
	python3 Tests/Documents/chinese.py
	@if grep -rnE --include='*.swift' '\[String ?:|(Set|Dictionary)<String[,>]' $(addprefix Sources/,$(OUTSIDE)); then \
		echo "lint: a String is no key for what comes from outside, since it compares as Unicode does: ExactText" >&2; exit 1; \
	fi
	swift build $(SWIFT_FLAGS)

check: format lint test ## what to run before a commit

clean: ## remove what was built
	rm -rf .build .build-* $(VENV)
