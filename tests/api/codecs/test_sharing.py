"""Models share pictures: never worse than one of them alone, and no more of them than pay."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.api.codecs.sharing import FURTHER, Trial, View, shared, sums

COSTS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3000).map(float), min_size=1)
TRIALS = st.lists(
    st.builds(
        Trial,
        size=st.integers(1, 5000).map(float),
        rival=st.just(1e9),
        views=st.lists(
            st.builds(View, st.sampled_from(["gray", "rgb", "planes"]), COSTS),
            min_size=1,
            max_size=2,
            unique_by=lambda view: view.genre,
        ),
        weight=st.sampled_from([1.0, 2.0, 10.0]),
    ).map(lambda trial: trial._replace(rival=trial.size)),
    min_size=1,
    max_size=8,
)


def cost(trials: list[Trial], models: list[str], genres: dict[str, str]) -> float:
    return sum(t.cost(genres, t.rival) for t in trials) + FURTHER * (len(models) - 1)


@settings(deadline=None)
@given(TRIALS)
def test_no_model_alone_is_better(trials: list[Trial]) -> None:
    models, genres = shared(trials)
    assert set(models) == set(genres.values())
    own = cost(trials, models, genres)
    for name in "abcd":
        assert own <= cost(trials, [name], dict.fromkeys(genres, name))


@settings(deadline=None)
@given(TRIALS)
def test_the_order_of_trials_says_nothing(trials: list[Trial]) -> None:
    assert shared(trials) == shared(trials[::-1])


def trial(genre: str, weight: float, **costs: float) -> Trial:
    return Trial(1000.0, 1000.0, [View(genre, costs)], weight)


def test_one_more_has_to_pay() -> None:
    rgb = trial("rgb", 50, large=0)
    assert shared([rgb, trial("gray", 3, gray=500, large=600)]).models == ["large"]
    several = shared([rgb, trial("gray", 30, gray=500, large=600)])
    assert several.models == ["large", "gray"]
    assert several.genres == {"rgb": "large", "gray": "gray"}
    assert shared([rgb, trial("gray", 90, gray=500, large=600)]).models == ["gray", "large"]


def test_what_another_coder_takes_is_no_gain() -> None:
    rgb = trial("rgb", 50, large=0)
    gray = trial("gray", 30, gray=500, large=600)
    assert shared([rgb, gray._replace(rival=400.0)]).models == ["large"]
    # where it takes all, the best model is named all the same
    small = [gray._replace(rival=400.0), trial("gray", 1, gray=10, large=600)._replace(rival=0.0)]
    assert shared(small).models == ["gray"]


def test_a_file_goes_by_what_it_is_best_seen_as() -> None:
    scan = Trial(
        1000.0, 1000.0, [View("rgb", {"large": 900.0}), View("planes", {"gray": 700.0})], 9
    )
    assert shared([scan]).models == ["gray"]
    assert sums([scan]) == {"rgb": {"large": 8100.0}, "planes": {"gray": 6300.0}}
    photo = trial("rgb", 9, large=0)
    assert set(shared([scan, photo]).models) == {"gray", "large"}
