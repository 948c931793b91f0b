/* x86-64 with AVX-512 VNNI: dot products of two numbers of 16 bits, or of four bytes. */
#include "sets.h"

#if X86
#define TARGET VNNI_TARGET

/* ---- dot products ---- */

#define DOT dot_words
#define DOT_OF dot_words_of
#define DOT_SOME some_words
#define ADD_GROUP _mm512_dpwssd_epi32
#include "templates/dot_512.h"

#define DOT dot_bytes
#define DOT_OF dot_bytes_of
#define DOT_SOME some_bytes
#define ADD_GROUP _mm512_dpbusd_epi32
#define ADD_WORD _mm512_dpwssd_epi32
#include "templates/dot_512.h"

/* ---- layers ---- */

#include "templates/convolutions.h"

#include "sets/vector_8.h"
#include "sets/vector_16.h"

#define UNIT 1
#define WIDTH 16
#define DOT dot_bytes
#define DOT_SOME some_bytes
#include "templates/dense.h"
#include "templates/pixels.h"

#define WIDTH 8
#include "templates/mixtures.h"

#include "templates/blocks.h"

static const pixel_layers pixels_of_set = {UNIT, dense_layer, windows, earlier, mix};

const set bitswap_vnni = {words, bytes, 1, narrow, 0, &pixels_of_set, &blocks_of_set, 0};
#endif
