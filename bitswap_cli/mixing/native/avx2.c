/* Bytes with AVX2: eight inputs of a set of weights at a time. */
#include "processor.h"

#if X86
#define TARGET AVX2_TARGET
#define VECTORS
#include "octets.h"

TARGET void bitswap_mixing_avx2(octets *o, coder *c) { code_octets(o, c); }
#endif
