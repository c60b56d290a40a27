# Everything a newcomer types. One build configuration for all of it: release, because a cold build
# of the network library costs minutes and an unoptimised encoder would be tested at a crawl.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build demo serve test bench bench-full lint format clean

CARREL := .build/release/carrel
SWIFT := Package.swift Sources Tests Indexes benchmarks/Package.swift benchmarks/Sources

help: ## Say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 16

setup: ## Fetch what the machine lacks: Debian packages, PostgreSQL, the model (scripts/setup)
	@scripts/setup

build: setup ## Build the programs into .build/release
	swift build -c release

demo: build ## Documents in, answers out: ingest data/sample and ask it questions over TCP
	@$(CARREL) demo

serve: build ## Run the server in the foreground (port 7117; stop with control-C)
	@$(CARREL) serve

# Without the flag SwiftPM builds everything a second time, for @testable, which no test uses.
test: build ## Run every test, against a PostgreSQL of its own
	@scripts/setup tests
	@set -o pipefail; swift test -c release --disable-testable-imports 2>&1 | tee .build/test.log || \
		{ printf '\nWhat failed:\n'; grep -E '✘|error:' .build/test.log; exit 1; }

bench: build ## Smoke benchmarks, under two minutes: search over TCP, then the encoder
	@$(CARREL) bench search
	@$(CARREL) bench embed

# RUN is where the results go; VECTORS and QUERIES are NumPy files (without them: seeded clusters).
RUN ?= data/var/bench/run
VECTORS ?=
QUERIES ?=
GIVEN := $(if $(VECTORS),--vectors $(VECTORS) --queries $(QUERIES))
BENCH := benchmarks/.build/release/carrel-bench

bench-full: build ## Every measurement, and the peers beside it: half an hour and more (RUN=FOLDER)
	swift build -c release --package-path benchmarks --product carrel-bench
	mkdir -p $(RUN)
	$(BENCH) search $(GIVEN) --out $(RUN)/carrel-bench.ndjson
	$(BENCH) cold $(GIVEN) --out $(RUN)/carrel-bench.ndjson
	$(BENCH) ingest $(GIVEN) --out $(RUN)/carrel-bench.ndjson
	$(BENCH) check-omission --out $(RUN)/carrel-bench.ndjson
	benchmarks/peers/run $(GIVEN) --out $(RUN)/peers

lint: ## Check the formatting (swift format, strict)
	swift format lint --strict --parallel --recursive $(SWIFT)

format: ## Put the formatting right
	swift format --in-place --parallel --recursive $(SWIFT)

clean: ## Remove what was built; data/var (the database, the documents, the model) stays
	rm -rf .build benchmarks/.build
