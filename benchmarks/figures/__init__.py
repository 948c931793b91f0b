"""What makes the tables and figures of docs/.

* `sizes`: rate against size of the installed models. ``python -m benchmarks.figures.sizes -o FILE``
* `initial_bits`: Bit-Swap against BB-ANS, models of different depths.
  ``python -m benchmarks.figures.initial_bits MODEL... --data FOLDER``
* `fit_curve`: bytes of archives after so many seconds of fitting, beside JPEG XL.
  ``python -m benchmarks.figures.fit_curve FOLDER... --seconds 30 300``
* `tiles`: rate and speed of a model by the size of its tiles.
  ``python -m benchmarks.figures.tiles FOLDER``
* `ablation`: what each part of a pixel VAE is worth.
  ``python -m benchmarks.figures.ablation RECIPE --data DATA --minutes 4``
* `samples`: what a model draws by itself. ``python -m benchmarks.figures.samples MODEL OUT.png``
* `treatments`: what z_2 of a model knows of how pictures came about.
  ``python -m benchmarks.figures.treatments FOLDER -o FILE``

The plot of rates against speeds is made by `benchmarks.peers`, which measures them.
"""
