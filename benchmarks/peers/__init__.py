"""Other codecs beside this one, and whole commands beside those of another version.

* `bench`: rates, speeds and memory of lossless codecs on 8-bit images, with a plot.
  ``python -m benchmarks.peers.bench FOLDER[:CELL]... [--json FILE] [--plot FILE]``
* `plot`: that plot again. ``python -m benchmarks.peers.plot FIGURES.json -o FILE.png``
* `folders`: bytes of whole folders: tar and zstd, WebP, JPEG XL, the smallest of these, and ours.
  ``python -m benchmarks.peers.folders FOLDER... [--json FILE]``
* `speed`: whole commands as processes, in turn with those of another tree.
  ``python -m benchmarks.peers.speed FOLDER... [--models NAME,...] [--against PYTHONPATH]``

The codecs are in `codecs`, one file and one line of its register each. Behind `bench` are `block`
(the images), `rows` (its measurements) and `measure` (one codec in a process of its own). JPEG XL
comes with ``pip install imagecodecs`` or ``pip install pillow-jxl-plugin``; what is not installed
is left out, and a line below the table says how to get it.
"""
