#include "COpenAPI.h"

// The compiler knows the file for a dependency: a change of it builds this anew.
#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char document[] = {
#embed "../../docs/openapi.yaml"
};

const unsigned char *openapi_document(size_t *count) {
    *count = sizeof document;
    return document;
}
