# Inputs that nobody thought of, by libFuzzer: docs/testing.md. A build of its own: every branch is counted, and in a debug build the
# bounds of unsafe buffers are checked.

.PHONY: fuzz fuzz-build

FUZZ_TARGETS := mqtt head chunks push settings import
FUZZ_FLAGS := --scratch-path .build/fuzz -Xswiftc -sanitize=fuzzer -Xswiftc -parse-as-library -Xswiftc -use-ld=lld
FUZZ_WORK := .build/fuzz/work

fuzz-build:
	FUZZ=1 swift build --product fuzz $(SWIFT_FLAGS) $(FUZZ_FLAGS)

# What was found is kept in FUZZ_WORK/found; what led further, in a folder there for each target. Swift's own report of a crash would keep
# libFuzzer from writing the input.
fuzz: export SWIFT_BACKTRACE := enable=no
fuzz: fuzz-build ## look for inputs that break a decoder for SECONDS=60 in all (TARGET=mqtt|head|chunks|push|settings|import: that one)
	@mkdir -p $(FUZZ_WORK)/found $(addprefix $(FUZZ_WORK)/,$(FUZZ_TARGETS)); \
	targets=($(or $(TARGET),$(FUZZ_TARGETS))); each=$$(( $(or $(SECONDS),60) / $${#targets[@]} )); failed=; \
	each=$$(( each > 0 ? each : 1 )); \
	for target in "$${targets[@]}"; do \
		echo "fuzz: $$target, $$each s"; \
		.build/fuzz/debug/fuzz $$target -max_total_time=$$each -max_len=4096 -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=$(FUZZ_WORK)/found/$$target- $(FUZZ_WORK)/$$target Tests/Fuzz/Seeds/$$target \
			> $(FUZZ_WORK)/$$target.log 2>&1 || failed+=" $$target"; \
		grep -E '^stat::(number_of_executed|peak)|Fatal error|ERROR|Test unit' $(FUZZ_WORK)/$$target.log || true; \
	done; \
	if [ "$$failed" ]; then echo "fuzz: found something in$$failed: see $(FUZZ_WORK)/found and $(FUZZ_WORK)/*.log" >&2; exit 1; fi
