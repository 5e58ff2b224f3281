#pragma once

#include <stddef.h>

/// A script of SQL, as it was when this was built.
struct psp_script {
    const char *name;
    const unsigned char *bytes;
    size_t count;
};

/// The steps that bring the tables from one version of the schema to the next, oldest first.
const struct psp_script *psp_schema_steps(size_t *count);

/// The functions by which nodes read and write, in the order in which they are made.
const struct psp_script *psp_schema_functions(size_t *count);
