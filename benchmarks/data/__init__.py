"""Pictures that benchmarks and tests measure on.

* `pictures`: folders of pictures as found, or cut from sheets; reading and comparing them.
* `kinds`: one file of every kind that troubles an archiver of images.
  ``python -m benchmarks.data.kinds FOLDER``
* `renderings`: plots, maps, sprites and scans, of kinds that no model was trained on.
  ``python -m benchmarks.data.renderings OUT [--only plots] [--count 3]``
"""
