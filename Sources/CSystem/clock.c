#include "CSystem.h"
#include <sys/timex.h>

int psp_clock_is_synchronised(void) {
    struct timex state = {0};  // modes 0: asks, changes nothing
    int result = adjtimex(&state);
    return result >= 0 && result != TIME_ERROR && !(state.status & STA_UNSYNC);
}
