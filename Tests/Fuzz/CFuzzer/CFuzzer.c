#include "CFuzzer.h"

/// What libFuzzer's own `main` would call; the linker looks at that although ours stands in its place.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    (void)bytes;
    (void)count;
    return -1;
}
