#pragma once
#include <libpq-fe.h>

// The fields of an error are named by character constants, which Swift does not import.
static const int PSP_PG_DIAG_SEVERITY = PG_DIAG_SEVERITY_NONLOCALIZED;
static const int PSP_PG_DIAG_SQLSTATE = PG_DIAG_SQLSTATE;
static const int PSP_PG_DIAG_MESSAGE = PG_DIAG_MESSAGE_PRIMARY;
static const int PSP_PG_DIAG_DETAIL = PG_DIAG_MESSAGE_DETAIL;
static const int PSP_PG_DIAG_HINT = PG_DIAG_MESSAGE_HINT;
static const int PSP_PG_DIAG_CONSTRAINT = PG_DIAG_CONSTRAINT_NAME;
