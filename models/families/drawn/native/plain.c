/* Pictures with what every processor has. */
#include "chunk.h"

#define TARGET
#include "pixels.h"

void bitswap_drawn_rows_plain(chunk *k, frame *f, uint8_t *pixels, int64_t height) {
    rows(k, f, pixels, height);
}
