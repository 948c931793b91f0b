/* x86-64 with AVX-VNNI: VNNI's dot products with vectors of 256 bits, of many processors without
 * AVX-512. */
#include "sets.h"

#if defined(AVXVNNI_TARGET)
#define TARGET AVXVNNI_TARGET

/* ---- dot products ---- */

#define DOT dot_words
#define DOT_SOME some_words
#define ADD_GROUP _mm256_dpwssd_avx_epi32
#include "templates/dot_256.h"

#define DOT dot_bytes
#define DOT_SOME some_bytes
#define ADD_GROUP _mm256_dpbusd_avx_epi32
#define ADD_WORD _mm256_dpwssd_avx_epi32
#include "templates/dot_256.h"

/* ---- layers ---- */

#include "templates/convolutions.h"

#include "sets/vector_8.h"

#define UNIT 1
#define WIDTH 8
#define DOT dot_bytes
#define DOT_SOME some_bytes
#include "templates/dense.h"
#include "templates/pixels.h"

#define WIDTH 8
#include "templates/mixtures.h"

#include "templates/blocks.h"

static const pixel_layers pixels_of_set = {UNIT, dense_layer, windows, earlier, mix};

const set bitswap_avxvnni = {words, bytes, 1, narrow, 0, &pixels_of_set, &blocks_of_set, 0};
#endif
