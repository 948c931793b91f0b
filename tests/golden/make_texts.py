"""Make the golden archive of plain Netpbm files, and write what has to come out of it into
manifest.json.

python -m tests.golden.make_texts [--force]
"""

from functools import partial

from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.golden.make_rows import write_files

ARCHIVE = HERE / "photo-texts-5.bsw"


if __name__ == "__main__":
    freeze(ARCHIVE, partial(write_files, kinds=("pnm-plain",)))
