/* x86-64 with AVX-512 VPOPCNTDQ: layers of signs. */
#include "sets.h"
#include "signs.h"

#if X86
#define TARGET VPOPCNT_TARGET

#define DOT dot_signs
#define DOT_OF dot_signs_of
#define ADD_GROUP(sum, x, w) _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_xor_si512(x, w)))
#include "templates/dot_512.h"

#define NAME signs
#define DOT dot_signs
#define FINISH sums_of_signs
#include "templates/convolve.h"

const set bitswap_vpopcnt = {.signs = signs};
#endif
