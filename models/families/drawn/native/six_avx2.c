/* Pictures with AVX2, six contexts of a value: eight inputs of a set of weights at a time. */
#include "chunk.h"

#if X86
#define TARGET AVX2_TARGET
#define VECTORS
#define VALUE_CONTEXTS 6
#include "pixels.h"

TARGET void bitswap_drawn_six_avx2(chunk *k, frame *f, uint8_t *pixels, int64_t height) {
    rows(k, f, pixels, height);
}
#endif
