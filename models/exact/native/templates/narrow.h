/* From 16 bits to bytes; a set of instructions includes this with TARGET, the attribute of the
 * function. */
#include "layers.h"

/* Copy n values as bytes; 0 if one is not in 0..255. */
TARGET static int narrow(const int16_t *x, uint8_t *bytes, int64_t n) {
    int16_t seen = 0;
    for (int64_t i = 0; i < n; i++) {
        seen |= x[i];
        bytes[i] = (uint8_t)x[i];
    }
    return (seen & ~255) == 0;
}
