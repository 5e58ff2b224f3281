# The tests under the compiler's sanitizers, and what is too long for `make test`; included by the Makefile.

.PHONY: test-tsan test-asan test-end-to-end-tsan test-end-to-end-asan test-long

# Builds of their own, so that they do not rebuild the ordinary one. `Locked` is a lock that ThreadSanitizer knows where THREAD_SANITIZER
# is defined.
TSAN_FLAGS := --scratch-path .build-tsan --sanitize=thread -Xswiftc -DTHREAD_SANITIZER
ASAN_FLAGS := --scratch-path .build-asan --sanitize=address

export TSAN_OPTIONS := halt_on_error=1
# Freed memory is kept back, so that its use is found. A little is enough, and tests that measure a process's memory allow for no more.
export ASAN_OPTIONS := quarantine_size_mb=8
# Each line of that file says why what it names is no leak of ours.
export LSAN_OPTIONS := suppressions=$(CURDIR)/Tests/Sanitizers/leaks.txt:print_suppressions=0

# Swift's own report of a crash hangs in a process under AddressSanitizer, which has one of its own.
test-asan test-end-to-end-asan: export SWIFT_BACKTRACE := enable=no

# Copying a store and examining one go on one thread of a tool.
test-tsan test-end-to-end-tsan: SKIP ?= StoreContractTests\.(CopyTests|CopyFaultTests|CheckTests)
test-tsan: deps ## run the Swift tests under ThreadSanitizer, which finds data races (NAME=X: only those that match)
	$(call swift-test,$(TSAN_FLAGS))

test-asan: deps ## run the Swift tests under AddressSanitizer, which finds memory misused or lost (NAME=X: only those that match)
	$(call swift-test,$(ASAN_FLAGS))

# A program under a sanitizer is several times slower, so every wait may last longer; the heavy tests are left out.
end-to-end-in = PSP_TEST_PATIENCE=180 PSPD=$(1)/pspd PSPCTL=$(1)/pspctl PSPBENCH=$(1)/pspbench \
	$(VENV)/bin/pytest Tests/EndToEnd -m 'not heavy' $(if $(NAME),-k $(NAME))

test-end-to-end-tsan: test-tsan $(VENV)/ready ## test-tsan, and the tests with stock clients against programs built so
	$(call end-to-end-in,.build-tsan/debug)

test-end-to-end-asan: test-asan $(VENV)/ready ## test-asan, and the tests with stock clients against programs built so
	$(call end-to-end-in,.build-asan/debug)

# Every case of a power failure, the random tests with more steps, all tests under both sanitizers, and ten minutes of faults.
test-long: export PSP_LONG_TESTS := 1
test-long: export PSP_CRASH_ROUNDS := 100
test-long: export PSP_MODEL_STEPS := 2000
test-long: test test-rehearsal test-end-to-end-tsan test-end-to-end-asan chaos ## run all that is too long for every day: all tests at full size, and under both sanitizers
