/* The coder's loops with AVX2's gathers; those of AVX-512 measured slower. */
#include "coder.h"

#if X86
#define TARGET AVX2_TARGET
#include "inversion.h"

const logistics bitswap_logistics_avx2 = {push, pop, intervals};
#endif
