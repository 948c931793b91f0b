"""The plan of the house (docs/architecture.md): who may enter whom, and how large things may be.

What is broken today is in the tables at the end, with the reason; `test_doors.py` and
`test_sizes.py` see to it that an entry goes as soon as it is mended.
"""

MOST_FILES = 14  # of a room; cli has a file a verb
MOST_LINES = 350  # of a file
MOST_FUNCTION = 60  # lines of a function
MANY_FILES = ("bitswap_cli.cli",)

ANS, LIBRARY = "bitswap_cli.ans", "bitswap_cli.ans.library"
MIXING = "bitswap_cli.mixing"
GROUND = (
    "bitswap_cli.contract", "bitswap_cli.coefficients", "bitswap_cli.atomic", "bitswap_cli.errors",
    "bitswap_cli.threads", LIBRARY,
)  # fmt: skip
EXACT, FAMILIES = "bitswap_models.exact", "bitswap_models.families"
STORED, ZOO = "bitswap_models.stored", "bitswap_models.zoo"
TRAINING, FITTING = "bitswap_models.training", "bitswap_models.fitting"

# Doors, top to bottom: what a room, with the rooms in it, may enter besides itself.
DOORS = {
    "bitswap_cli.__main__": ("bitswap_cli.cli",),
    "bitswap_cli.cli": ("bitswap_cli", "bitswap_cli.api", *GROUND),
    "bitswap_cli": ("bitswap_cli.api", "bitswap_cli.archive", *GROUND),
    "bitswap_cli.api": (
        "bitswap_cli.archive", "bitswap_cli.images", "bitswap_cli.coding", *GROUND, ANS,
        FITTING, TRAINING, STORED, ZOO, FAMILIES, EXACT,
    ),
    "bitswap_cli.archive": ("bitswap_cli.images", "bitswap_cli.images.vp8", MIXING, *GROUND),
    "bitswap_cli.images": (
        "bitswap_cli.images.deflate", "bitswap_cli.images.corrections", *GROUND,
    ),
    "bitswap_cli.images.corrections": (MIXING, *GROUND, ANS),
    "bitswap_cli.images.vp8": (MIXING, *GROUND, ANS),
    "bitswap_cli.images.deflate": (*GROUND, ANS),  # what no file says of a stream is coded
    "bitswap_cli.coding": (*GROUND, ANS),
    FITTING: (TRAINING, STORED, ZOO, FAMILIES, EXACT, *GROUND, ANS),
    TRAINING: (STORED, ZOO, FAMILIES, EXACT, *GROUND, ANS),
    STORED: (ZOO, FAMILIES, EXACT, *GROUND, ANS),
    ZOO: (EXACT, *GROUND, ANS),
    FAMILIES: (EXACT, MIXING, *GROUND, ANS),
    EXACT: (*GROUND, ANS),
    "bitswap_models": (),
    "bitswap_cli.contract": ("bitswap_cli.errors", ANS),
    "bitswap_cli.coefficients": ("bitswap_cli.contract", ANS),
    "bitswap_cli.atomic": ("bitswap_cli.errors",),
    "bitswap_cli.threads": (),
    "bitswap_cli.errors": (),
    ANS: (LIBRARY,),
    MIXING: (*GROUND, ANS),
    LIBRARY: (),
}  # fmt: skip

PLANNED: set[str] = set()  # rooms that are still empty

# Libraries that are known in some rooms only.
ONLY_IN = {
    "torch": (TRAINING, FITTING),
    "click": ("bitswap_cli.cli",),
    "tqdm": ("bitswap_cli.cli",),
    "PIL": ("bitswap_cli.images", TRAINING),
    **{name: ("bitswap_models.zoo",) for name in ("pooch", "requests", "urllib", "http", "socket")},
}

# Doors that are broken: (room, what it enters) -> why.
BROKEN: dict[tuple[str, str], str] = {}
CIRCLES: dict[str, str] = {}  # a module of each circle that there is

# Files, and functions (FILE:NAME), that are too long.
LONG: dict[str, str] = {}

# Tests that are named for a law or a disaster, of which no single file knows.
LAWS = {
    "ans/test_codecs.py": "the codec law, of every distribution",
    "ans/test_craystack.py": "the same words as craystack",
    "archive/reading/test_damage.py": "flipped bits, cuts and holes",
    "archive/reading/test_hostile.py": "archives made to harm",
    "archive/test_described.py": "PNG files come back byte for byte, or their pixels if asked for",
    "archive/test_entries.py": "modes, times and whatever else a file system tells",
    "archive/test_round_trip.py": "what went in comes out",
    "archive/writing/coders/test_orientation.py": "pictures that lie in eight ways",
    "cli/test_decoded.py": "pictures that were JPEGs, from end to end",
    "cli/test_drawn.py": "drawn pictures by default, from end to end",
    "cli/test_embedded.py": "pictures inside of other files, from end to end",
    "cli/test_unfolded.py": "deflate streams inside of files, from end to end",
    "cli/test_jpeg.py": "JPEG files by their coefficients, from end to end",
    "cli/test_topdown.py": "a third scheme, from end to end",
    "images/formats/test_files.py": "files of all formats come back, and harm is refused",
    "cli/test_wide.py": "more channels and bits, from end to end",
    "coding/test_alphabets.py": "samples that are no bytes",
    "coding/test_schemes.py": "the codec law, of every scheme and family",
    "images/deflate/test_costs.py": "streams told by costs, in both engines",
    "images/deflate/test_damage.py": "streams and descriptions made to harm",
    "images/deflate/test_engines.py": "C and Python give the same bytes",
    "images/deflate/test_golden.py": "frozen descriptions come back",
    "images/formats/png/test_golden.py": "frozen descriptions come back",
    "images/test_rebuild.py": "recipes and pixels that do not belong together",
    "images/test_wide.py": "more channels and bits, of every format",
    "models/exact/test_binary.py": "layers of signs, in every engine",
    "models/families/test_simulation.py": "numpy, C and training give the same integers",
    "models/families/drawn/test_drawn.py": "drawn pictures come back, from every engine",
    "models/test_torch.py": "nothing needs torch but training and fitting",
    "models/zoo/test_embedded.py": "models are as good as their cards say",
    "models/zoo/test_rates.py": "rates, on pictures that every clone has",
}
FREE = (
    "benchmarks",
    "end_to_end",
    "faults",
    "fuzz",
    "golden",
    "native",
    "structure",
)  # rooms of tests that mirror none
