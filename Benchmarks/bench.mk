# Measuring, included by the Makefile. `make bench` takes about an hour; `BENCH="--only rest --runs 3"` measures a part.

FLOOR := .build/floor/http_floor .build/floor/fanout_floor

.PHONY: bench bench-deps bench-build bench-quick

bench-deps: ## install the peers that are measured beside it, from Debian (root or sudo, only if any is missing)
	@Benchmarks/deps.sh

bench-build: deps $(FLOOR)
	swift build $(RELEASE_FLAGS) --product pspd
	swift build $(RELEASE_FLAGS) --product pspbench

bench: bench-build ## measure against C and other brokers, and write docs/performance.md (BENCH="--only NAME": a part of it)
	python3 Benchmarks/bench.py $(BENCH)

bench-quick: bench-build ## run the scenarios at small size; the figures mean nothing
	python3 Benchmarks/bench.py --quick $(BENCH)

.build/floor/%: Benchmarks/floor/%.c Benchmarks/floor/common.h
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror -o $@ $< $$(pkg-config --cflags --libs libevent)
