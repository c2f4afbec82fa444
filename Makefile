# Everything one does with this repository. `make` alone lists it.
#
# ARGS goes to the program a target runs: make run ARGS='--listen 127.0.0.1:9000',
# make test ARGS=signup. Long recipes are scripts in scripts/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:

# Where rustup puts cargo, for shells that have not been told yet.
export PATH := $(PATH):$(HOME)/.cargo/bin
# On CI every failure counts, not the first alone (.config/nextest.toml).
export NEXTEST_PROFILE ?= $(if $(CI),ci,default)

ARGS ?=

.PHONY: help
help: ## Lists these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: prerequisites dashboard ## Builds and starts the server with its dashboard on http://127.0.0.1:8080
	cargo run --bin rowhouse -- serve $(ARGS)

.PHONY: build
build: prerequisites dashboard ## Builds the release binary, target/release/rowhouse
	cargo build --release --bin rowhouse $(ARGS)

.PHONY: test
test: ## Runs every test on both engines; with ARGS only the tests it selects
	@scripts/prerequisites test
	@scripts/dashboard build
	@scripts/services start
	@. .services/env; scripts/test $(ARGS)

.PHONY: check
check: prerequisites ## Checks format, lints, types, docs, sizes, and that generated files are up to date
	scripts/dashboard check
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items
	scripts/generated --check

.PHONY: generate
generate: prerequisites ## Writes the generated files under docs/ anew
	scripts/generated

.PHONY: dashboard
dashboard: ## Builds the dashboard that the binary carries
	@scripts/dashboard build

.PHONY: e2e
e2e: prerequisites ## Tests the dashboard in a real browser, as `make test` does; with ARGS only the files it names
	@scripts/services start
	@. .services/env; scripts/dashboard e2e $(ARGS)

.PHONY: bench
bench: prerequisites ## Measures speed and size, and prints them with their ratios
	bash bench/run $(ARGS)

.PHONY: clean-services
clean-services: ## Stops the test servers and removes their data
	@scripts/services stop

.PHONY: prerequisites
prerequisites:
	@scripts/prerequisites
