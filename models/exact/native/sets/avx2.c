/* x86-64 with AVX2, as all have since it also has FMA and BMI2. */
#include "sets.h"
#include "signs.h"

#if X86
#define TARGET AVX2_TARGET

/* ---- dot products ---- */

#define DOT dot_words
#define DOT_SOME some_words
#define ADD_GROUP(sum, x, w) _mm256_add_epi32(sum, _mm256_madd_epi16(x, w))
#include "templates/dot_256.h"

#include "templates/dot_ones.h"

typedef uint32_t bits_8 __attribute__((vector_size(32)));
#define LANE uint32_t
#define WORD bits_8
#include "templates/harley_seal.h"

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

#define NAME signs
#define DOT dot_signs
#define FINISH sums_of_signs
#include "templates/convolve.h"

#include "sets/vector_8.h"

#define UNIT 2
#define WIDTH 8
#define DOT dot_words
#define DOT_SOME some_words
#include "templates/dense.h"
#include "templates/pixels.h"

#define WIDTH 8
#include "templates/mixtures.h"

#include "templates/blocks.h"

static const pixel_layers pixels_of_set = {UNIT, dense_layer, windows, earlier, mix};

#define VECTOR 32
#define HELD 4
#include "templates/gradient_block.h"

const set bitswap_avx2 = {words, bytes, 0, narrow, signs, &pixels_of_set, &blocks_of_set, gradient};
#endif
