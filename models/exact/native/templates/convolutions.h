/* The convolutions of a set whose dot products, dot_words and dot_bytes, take all weights; a set of
 * instructions includes this behind them, with TARGET, the attribute of every function. */
#define NAME words
#define DOT dot_words
#define FINISH AS_THEY_ARE
#include "templates/convolve.h"

#define NAME bytes
#define DOT dot_bytes
#define FINISH AS_THEY_ARE
#include "templates/convolve.h"

#include "templates/narrow.h"
