#include "CSystem.h"

static int count;
static char **values;

// glibc hands its start-up's arguments to every constructor; other C libraries need not.
#ifdef __GLIBC__
__attribute__((constructor)) static void keep_arguments(int argc, char **argv) {
    count = argc;
    values = argv;
}
#endif

int psp_argument_count(void) { return count; }

const char *psp_argument(int index) { return values[index]; }
