"""Benchmarks: what the project measures, and the demo. Nothing here is installed.

* `peers`: other codecs, and whole commands: rates, speeds, memory.
* `kernels`: speeds of the C kernels and of the networks around them.
* `figures`: what makes the tables and figures of docs/.
* `data`: folders of pictures, found or rendered.
* `demo`: photographs there and back again.

All of them are run from the root of the repository, as ``python -m benchmarks.ROOM.NAME``; each
says with ``--help`` what it takes. What the rooms share: `command` (the command line as a user runs
it, the only place that knows how bitswap is called), `machine`, `report` and `drawing`. Each is run
on a tiny input by tests/benchmarks.
"""
