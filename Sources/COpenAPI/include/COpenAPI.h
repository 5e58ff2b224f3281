#pragma once

#include <stddef.h>

/// The text of docs/openapi.yaml, as it was when this was built.
const unsigned char *openapi_document(size_t *count);
