#include "CSimdjson.h"

#include <cstring>
#include <memory>
#include <simdjson.h>

namespace {

using Scanner = std::unique_ptr<simdjson::internal::dom_parser_implementation>;

// Offsets of this many bytes of text are kept for the next scan (four bytes each); a larger one gives its memory back with the next.
constexpr size_t kept_capacity = 256 * 1024;
constexpr size_t least_capacity = 4096;

csimdjson_result result_of(simdjson::error_code code) {
    switch (code) {
        case simdjson::SUCCESS: return CSIMDJSON_SUCCESS;
        case simdjson::EMPTY: return CSIMDJSON_EMPTY;
        case simdjson::CAPACITY: return CSIMDJSON_TOO_LARGE;
        case simdjson::MEMALLOC: return CSIMDJSON_OUT_OF_MEMORY;
        case simdjson::UTF8_ERROR: return CSIMDJSON_INVALID_UTF8;
        case simdjson::UNCLOSED_STRING: return CSIMDJSON_UNCLOSED_STRING;
        case simdjson::UNESCAPED_CHARS: return CSIMDJSON_CONTROL_CHARACTER;
        default: return CSIMDJSON_INTERNAL;
    }
}

simdjson::error_code prepare(Scanner &scanner, size_t length) {
    const size_t wanted = length > least_capacity ? length : least_capacity;
    if (!scanner) {
        // The depth sizes what only the second stage uses, which is not run.
        return simdjson::get_active_implementation()->create_dom_parser_implementation(wanted, 1, scanner);
    }
    const bool oversized = scanner->capacity() > kept_capacity && wanted <= kept_capacity;
    return scanner->capacity() < wanted || oversized ? scanner->set_capacity(wanted) : simdjson::SUCCESS;
}

}  // namespace

csimdjson_result csimdjson_scan(
    const uint8_t *bytes, size_t length, const uint32_t **offsets, size_t *count, int *has_escapes) {
    thread_local Scanner scanner;
    if (length == 0) { return CSIMDJSON_EMPTY; }
    if (length >= UINT32_MAX) { return CSIMDJSON_TOO_LARGE; }
    if (const auto code = prepare(scanner, length); code != simdjson::SUCCESS) {
        scanner.reset();
        return result_of(code);
    }
    if (const auto code = scanner->stage1(bytes, length, simdjson::stage1_mode::regular); code != simdjson::SUCCESS) {
        return result_of(code);
    }
    *offsets = scanner->structural_indexes.get();
    *count = scanner->n_structural_indexes;
    *has_escapes = std::memchr(bytes, '\\', length) != nullptr;
    return CSIMDJSON_SUCCESS;
}

csimdjson_result csimdjson_minify(const uint8_t *bytes, size_t length, uint8_t *destination, size_t *written) {
    return result_of(simdjson::get_active_implementation()->minify(bytes, length, destination, *written));
}
