/* The coder's loops with AVX2; those of AVX-512 measured slower. */
#include "coder.h"

#if X86
#define TARGET AVX2_TARGET
#include "eights.h"

#define MIXTURES_OF block_of_mixtures
#define ROW_OF row_in_eights
#include "loops.h"

const logistics bitswap_logistics_avx2 = {push, pop, intervals};
#endif
