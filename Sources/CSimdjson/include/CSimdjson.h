#pragma once
#include <stddef.h>
#include <stdint.h>

// What the JSON room takes from simdjson, as C: the scan of a text (UTF-8, strings, control characters, where each token begins)
// and the removal of insignificant white space.
//
// Not the DOM and not On Demand. The DOM rewrites numbers (1.10 becomes 1.1) and refuses those that do not fit a machine word or a
// double (2^64, 1e400), which are valid JSON (RFC 8259 §6); On Demand does not validate what it skips, and both recurse or stop at
// a depth of 1,024, where the size of the text is limit enough. The scan is the work worth having: the rest, one comparison a
// token, is the walk over the grammar in `GrammarWalker.swift`.

#ifdef __cplusplus
extern "C" {
#endif

typedef enum csimdjson_result {
    CSIMDJSON_SUCCESS = 0,
    CSIMDJSON_EMPTY,
    CSIMDJSON_TOO_LARGE,
    CSIMDJSON_OUT_OF_MEMORY,
    CSIMDJSON_INVALID_UTF8,
    CSIMDJSON_UNCLOSED_STRING,
    CSIMDJSON_CONTROL_CHARACTER,
    CSIMDJSON_INTERNAL
} csimdjson_result;

/// Scans a text. On success `offsets` holds `count` ascending byte offsets below `length`: of each of `{ } [ ] : ,` outside strings and
/// of the first byte of each string, number and word. It is this thread's and valid until this thread's next scan.
/// `has_escapes` says whether there is a backslash at all. Reads no byte beyond `length`.
csimdjson_result csimdjson_scan(
    const uint8_t *bytes, size_t length, const uint32_t **offsets, size_t *count, int *has_escapes);

/// How many bytes more than the text the destination of `csimdjson_minify` must hold: it writes whole blocks.
#define CSIMDJSON_PADDING 64

/// Copies a valid text without the white space outside its strings. `destination` holds `length + CSIMDJSON_PADDING` bytes and does not
/// overlap `bytes`; the number of bytes that count is left in `written`.
csimdjson_result csimdjson_minify(const uint8_t *bytes, size_t length, uint8_t *destination, size_t *written);

#ifdef __cplusplus
}
#endif
