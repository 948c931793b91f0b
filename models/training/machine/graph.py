"""Work that a GPU does again and again without being told each part of it anew."""

from __future__ import annotations

from collections.abc import Callable

import torch

WARM_UP = 3  # times that work is done before it is recorded


def recorded(
    work: Callable[[], None], device: torch.device, progress: Callable[[str], None]
) -> Callable[[], None]:
    """Return what does the same work, but for the choices that the host makes in it.

    Work that is done on a GPU is recorded once, as a CUDA graph: thousands of small kernels take
    longer to start, one by one, than to run. Tensors that are read from outside of it must stay
    where they are. It is done a few times here. On other devices, and where it cannot be recorded,
    it is returned as it is.
    """
    if device.type != "cuda":
        return work
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP):
            work()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            work()
    except RuntimeError as error:  # by some version of torch, some driver
        progress(f"steps are not recorded: {error}")
        return work
    return graph.replay
