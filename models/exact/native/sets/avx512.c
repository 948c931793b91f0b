/* x86-64 with AVX-512 F, BW, VL and DQ. */
#include "sets.h"

#if X86
#define TARGET AVX512_TARGET

/* ---- dot products ---- */

#define DOT dot_words
#define DOT_OF dot_words_of
#define DOT_SOME some_words
#define ADD_GROUP(sum, x, w) _mm512_add_epi32(sum, _mm512_madd_epi16(x, w))
#include "templates/dot_512.h"

#include "templates/dot_ones.h"

/* ---- layers ---- */

#define NAME words
#define DOT dot_words
#define FINISH AS_THEY_ARE
#include "templates/convolve.h"

#define NAME bytes
#define DOT dot_ones
#define FINISH AS_THEY_ARE
#include "templates/convolve.h"

#include "templates/narrow.h"

#include "sets/vector_8.h"
#include "sets/vector_16.h"

#define UNIT 2
#define WIDTH 16
#define DOT dot_words
#define DOT_SOME some_words
#include "templates/dense.h"
#include "templates/pixels.h"

#define WIDTH 8
#include "templates/mixtures.h"

#include "templates/blocks.h"

static const pixel_layers pixels_of_set = {UNIT, dense_layer, windows, earlier, mix};

#define VECTOR 64
#define HELD 8
#include "templates/gradient_block.h"

const set bitswap_avx512 = {words, bytes, 0, narrow, 0, &pixels_of_set, &blocks_of_set, gradient};
#endif
