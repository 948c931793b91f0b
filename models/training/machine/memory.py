"""What freed memory is for, while a model is trained on the processor."""

from __future__ import annotations

import ctypes
import sys

# of <malloc.h>
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3


def keep_freed() -> None:
    """Let the process keep the memory that it frees, where the C library is glibc.

    A step of training frees as much as it takes. glibc gives large blocks back to the system at
    once, which clears every page again when it hands it out: a third of the time of a step.
    """
    if not sys.platform.startswith("linux"):
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:  # musl has none
        set_option(_TRIM_THRESHOLD, 2**31 - 1)
        set_option(_TOP_PAD, 2**26)
        set_option(_MMAP_THRESHOLD, 2**30)
