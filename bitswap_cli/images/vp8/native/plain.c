/* Frames on every processor. */
#define TARGET
#include "frames.h"

void bitswap_vp8_plain(work *w, carrier *c) { code_frame(w, c); }
