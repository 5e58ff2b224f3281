# Measuring; included by the Makefile.

FLOOR := .build/floor/http_floor .build/floor/fanout_floor

.PHONY: bench bench-deps bench-build bench-quick bench-instructions

bench-deps: ## install what `make bench` measures with, and beside: wrk, mosquitto, nats-server, nginx, valgrind (root or sudo, only if any is missing)
	@Benchmarks/deps.sh

bench-build: build $(FLOOR)
	swift build $(RELEASE_FLAGS) --product pspbench

bench: bench-build ## measure against C and other brokers, about an hour; writes docs/performance.md (BENCH="--only NAME": a part)
	python3 Benchmarks/bench.py $(BENCH)

bench-quick: bench-build ## run the scenarios at small size; shows that they run, and no figure
	python3 Benchmarks/bench.py --quick $(BENCH)

bench-instructions: build ## count the instructions of a push by callgrind, beside those recorded, 2 minutes (RECORD=1: record them)
	python3 Benchmarks/instructions.py $(if $(RECORD),--record)

# The end-to-end tests run scenarios at small size, and a crowd.
test-end-to-end: bench-build

.build/floor/%: Benchmarks/floor/%.c Benchmarks/floor/common.h
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror -o $@ $< $$(pkg-config --cflags --libs libevent)
