/* Frames with AVX2: eight inputs of a set of weights at a time. */
#include "processor.h"

#if X86
#define TARGET AVX2_TARGET
#define VECTORS
#include "frames.h"

TARGET void bitswap_vp8_avx2(work *w, carrier *c) { code_frame(w, c); }
#endif
