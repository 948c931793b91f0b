/* Pictures with what every processor has, six contexts of a value. */
#include "chunk.h"

#define TARGET
#define VALUE_CONTEXTS 6
#include "pixels.h"

void bitswap_drawn_six_plain(chunk *k, frame *f, uint8_t *pixels, int64_t height) {
    rows(k, f, pixels, height);
}
