// libFuzzer without its `main`: the compiler links it by `-sanitize=fuzzer`.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Calls `callback` with one input after the other, as the arguments say. Returns the process's exit code; the callback returns 0.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *bytes, size_t count));
