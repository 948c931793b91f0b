/* Bytes on every processor. */
#define TARGET
#include "octets.h"

void bitswap_mixing_plain(octets *o, coder *c) { code_octets(o, c); }
