"""`gravity pool` looks, adds, takes in and out, and tells every mistake in one line."""

import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agents.frameworks.catalogue import dimensions, shipped_scenarios
from agents.pool import lock_pool
from tests.commands.conftest import Gravity, main_quietly
from tests.graph.reading import write_lines
from tui.progress import MOST_KEPT, MOST_NOTICES

SCRIPTED = ("--set", "chat.model=scripted")
SHIPPED = len(shipped_scenarios())
FIRST = shipped_scenarios()[0]
LADDER = {
    "dimension": "adventurousness",
    "situation": "Your neighbour has lent you a ladder for the weekend and it begins to rain on"
    " Saturday morning. Do you climb up anyway and mend the gutter?",
    "high": "Yes, the gutter will not mend itself, and a bit of rain has never hurt anybody who"
    " keeps three points on the rungs.",
    "low": "No, I would wait for the sun, give the ladder back on Sunday, and ask to have it again"
    " when the weather is drier.",
}
KITE = {
    "dimension": "openness",
    "situation": "A kite, two odd oars and a tangle of cord fall out of the cupboard when you open"
    " it to fetch a jar of plums. What happens next?",
    "high": "Everything comes out at once, and by evening each thing hangs on a hook with its"
    " label, the cord wound up and the plums in front.",
    "low": "The jar is what I came for, so I push the heap back with one knee, shut the door and"
    " let it wait for some other year.",
}
NASTY = "\x1b[2J\x1b]0;owned\x07\x9b31mred\u202eevil\b\x7f"
HARM = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home into which the shipped scenes have been loaded."""
    home = tmp_path_factory.mktemp("filled") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["gravity", "--home", str(home), *SCRIPTED, "pool", "stats"])
        main_quietly()
    return home


@pytest.fixture
def home(_filled: Path, tmp_path: Path) -> Path:
    return shutil.copytree(_filled, tmp_path / "home")


def scene(row: dict[str, Any]) -> list[str]:
    """The flags of `pool add` for a row of a file."""
    return [word for name, value in row.items() for word in (f"--{name}", str(value))]


def one_line(told: str) -> str:
    """What went wrong, which is one line."""
    assert told.startswith("gravity: "), told
    assert told.count("\n") == 1, told
    return told


def harmless(*texts: str) -> None:
    for text in texts:
        assert not HARM.search(text), HARM.search(text)


def test_stats_shows_every_dimension_and_where_scenes_are_thin(gravity: Gravity) -> None:
    told = gravity(*SCRIPTED, "pool", "stats").out
    assert told.startswith(f"{SHIPPED:,} scenes: {SHIPPED} pool\n")
    assert all(axis.label[:28] in told for axis in dimensions().values())
    assert "in each domain" in told
    assert "thinnest: " in told
    assert max(map(len, told.splitlines())) < 80
    assert "JP" in gravity(*SCRIPTED, "pool", "stats", "--by", "setting").out


def test_stats_for_scripts_add_up(gravity: Gravity) -> None:
    told = gravity(*SCRIPTED, "pool", "stats", "--json").json
    assert told["scenes"] == SHIPPED
    for table in ("domains", "settings"):
        assert set(told[table]) == set(dimensions())
        assert sum(sum(row.values()) for row in told[table].values()) == SHIPPED


def test_show_prints_the_scene_with_both_answers(gravity: Gravity) -> None:
    told = gravity(*SCRIPTED, "pool", "show", FIRST.id)
    for text in (FIRST.id, FIRST.situation, FIRST.high, FIRST.low):
        assert text in told.out
    told = gravity(*SCRIPTED, "pool", "show", FIRST.id, "--json")
    assert told.json == FIRST.model_dump(mode="json")


def test_search_finds_a_scene_by_its_own_words_first(gravity: Gravity) -> None:
    lines = gravity(*SCRIPTED, "pool", "search", FIRST.situation).out.splitlines()
    assert len(lines) == 10
    assert lines[0].split()[:2] == ["1.00", FIRST.id]
    told = gravity(*SCRIPTED, "pool", "search", FIRST.situation, "--limit", "3", "--json").json
    assert len(told) == 3
    assert told[0]["scenario"]["id"] == FIRST.id
    cosines = [near["similarity"] for near in told]
    assert cosines == sorted(cosines, reverse=True)


def test_search_stays_within_a_dimension(gravity: Gravity) -> None:
    words = ["search", FIRST.situation, "--dimension", "hedonism", "--json"]
    told = gravity(*SCRIPTED, "pool", *words).json
    assert {near["scenario"]["dimension"] for near in told} == {"hedonism"}


def test_an_added_scene_is_there_and_its_like_is_refused(gravity: Gravity) -> None:
    told = gravity(*SCRIPTED, "pool", "add", *scene(LADDER), "--ages", "20-70", "--country", "BR")
    name = told.out.removeprefix("added ").strip()
    kept = gravity(*SCRIPTED, "pool", "show", name, "--json").json
    assert kept.items() >= (LADDER | {"ages": [20, 70], "culture": "BR"}).items()
    again = gravity(*SCRIPTED, "pool", "add", *scene(LADDER), "--domain", "home", code=2)
    assert name in one_line(again.err)
    like = LADDER | {"high": LADDER["low"], "low": LADDER["high"]}
    error = one_line(gravity(*SCRIPTED, "pool", "add", *scene(like), code=2).err)
    assert name in error
    assert LADDER["situation"] in error
    assert gravity(*SCRIPTED, "pool", "stats", "--json").json["scenes"] == SHIPPED + 1


def test_add_tells_scripts_what_was_added(gravity: Gravity) -> None:
    told = gravity(*SCRIPTED, "pool", "add", *scene(KITE), "--json").json
    assert told.items() >= (KITE | {"facet": "personality", "provenance": "pool"}).items()


def test_add_asks_for_what_no_flag_says(gravity: Gravity) -> None:
    flags = scene({name: text for name, text in LADDER.items() if name != "low"})
    told = gravity(*SCRIPTED, "pool", "add", *flags, typed=f"{LADDER['low']}\n")
    assert "added i-adventurousness-" in told.out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ages": "nonsense"}, "ages"),
        ({"ages": "18-30-40"}, "ages"),
        ({"ages": "70-20"}, "ages"),
        ({"country": "XX"}, "'XX' is not an ISO 3166"),
        ({"domain": "moon"}, "domain: "),
        ({"dimension": "adventurousnes"}, "Did you mean 'adventurousness'?"),
        ({"situation": "Do you climb?"}, "situation: 3 words, wanted are 20 to 60"),
        ({"high": "Yes."}, "high: 1 words"),
    ],
)
def test_a_scene_with_a_flaw_is_not_added(gravity: Gravity, change: dict[str, str], said: str):
    told = gravity(*SCRIPTED, "pool", "add", *scene(LADDER | change), code=2)
    assert said in one_line(told.err)
    assert not told.out
    assert gravity(*SCRIPTED, "pool", "stats", "--json").json["scenes"] == SHIPPED


def test_ages_in_the_wrong_order_are_told_by_the_name_of_the_field(
    gravity: Gravity, tmp_path: Path
) -> None:
    told = gravity(*SCRIPTED, "pool", "add", *scene(LADDER), "--ages", "70-20", code=2)
    assert told.err.startswith("gravity: ages")
    file = write_lines(tmp_path / "more.jsonl", [LADDER | {"ages": [70, 20]}])
    assert gravity(*SCRIPTED, "pool", "import", str(file)).err.startswith("more.jsonl:1: ages")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "nope"], "The pool has no scenario 'nope'."),
        (["search", "rain", "--dimension", "opennes"], "Did you mean 'openness'?"),
        (["export", "x.jsonl", "--dimension", "opennes"], "Did you mean 'openness'?"),
        (["import", "nowhere.jsonl"], "nowhere.jsonl cannot be read: No such file"),
        (["check", "nowhere.jsonl"], "nowhere.jsonl cannot be read: No such file"),
        (["import", "."], "unknown kind of file"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(
    gravity: Gravity, words: list[str], said: str
) -> None:
    told = gravity(*SCRIPTED, "pool", *words, code=2)
    assert said in one_line(told.err)
    assert not told.out
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", " "], "some words are needed"),
        (["search", ""], "some words are needed"),
        (["search", "rain", "--limit", "0"], "--limit"),
        (["stats", "--by", "colour"], "domain or setting"),
        (["show"], "Missing argument"),
    ],
)
def test_options_that_make_no_sense(gravity: Gravity, words: list[str], said: str) -> None:
    told = gravity(*SCRIPTED, "pool", *words, code=2)
    assert said in told.err
    assert not told.out


@pytest.mark.parametrize("words", [["show"], ["search"], ["add", *scene(LADDER), "--high"]])
def test_an_argument_that_is_no_text_is_a_mistake_like_others(
    gravity: Gravity, words: list[str]
) -> None:
    """A shell hands bytes that are no UTF-8 over as surrogates."""
    told = gravity(*SCRIPTED, "pool", *words, "\udcff", code=2)
    assert told.err
    harmless(told.err)


def test_import_tells_of_bad_rows_and_takes_the_rest(gravity: Gravity, tmp_path: Path) -> None:
    rows: list[Any] = [
        LADDER,
        '{"dimension": "openness", ',
        KITE | {"high": "Tidy."},
        KITE | {"dimension": "opennes"},
        {name: text for name, text in KITE.items() if name != "low"},
        KITE | {"colour": "red"},
        [KITE],
        LADDER | {"high": LADDER["low"], "low": LADDER["high"]},
        KITE,
    ]
    file = write_lines(tmp_path / "more.jsonl", rows)
    told = gravity(*SCRIPTED, "pool", "import", str(file))
    assert told.out == "2 added, 1 duplicates, 0 known already, 6 set aside\n"
    for notice in (
        "more.jsonl:2: broken JSON",
        "more.jsonl:3: high: ",
        "more.jsonl:4: dimension: There is no dimension 'opennes'. Did you mean 'openness'?",
        "more.jsonl:5: low: Field required",
        "more.jsonl:6: colour: ",
        "more.jsonl:7: not a JSON object",
        "more.jsonl:8: the pool has its like, ",
    ):
        assert told.err.count(notice) == 1, notice
    assert len(told.err.splitlines()) == 7
    assert gravity(*SCRIPTED, "pool", "stats", "--json").json["scenes"] == SHIPPED + 2


def test_import_for_scripts_and_again_adds_nothing(gravity: Gravity, tmp_path: Path) -> None:
    file = str(write_lines(tmp_path / "more.jsonl", [LADDER, KITE, "{"]))
    first = gravity(*SCRIPTED, "pool", "import", file, "--json").json
    assert (first["added"], first["duplicates"], first["known already"]) == (2, 0, 0)
    assert [notice[:13] for notice in first["notices"]] == ["more.jsonl:3:"]
    again = gravity(*SCRIPTED, "pool", "import", file, "--json").json
    assert (again["added"], again["duplicates"], again["known already"]) == (0, 0, 2)


def test_of_very_many_bad_rows_the_first_are_told_and_all_are_counted(
    gravity: Gravity, tmp_path: Path
) -> None:
    file = write_lines(tmp_path / "bad.jsonl", ["{"] * (MOST_KEPT + 5))
    told = gravity(*SCRIPTED, "pool", "import", str(file), "--json")
    assert told.json["told of"] == MOST_KEPT + 5
    assert len(told.json["notices"]) == MOST_KEPT
    assert f"… and {MOST_KEPT + 5 - MOST_NOTICES:,} more notices" in told.err


def test_a_missing_file_is_told_before_the_pool_is_opened(gravity: Gravity, home: Path) -> None:
    with lock_pool(home / "pool"):
        told = gravity(*SCRIPTED, "pool", "import", "nowhere.jsonl", code=2)
    assert "nowhere.jsonl cannot be read" in told.err


@pytest.mark.parametrize("how", [(), ("--unexamined",)])
def test_a_row_that_comes_twice_is_taken_once_and_another_of_its_id_is_told(
    gravity: Gravity, tmp_path: Path, how: tuple[str, ...]
) -> None:
    rows = [LADDER | {"id": "mine"}, KITE, KITE, LADDER | {"id": "mine", "domain": "home"}, KITE]
    file = write_lines(tmp_path / "twice.jsonl", [*rows, KITE | {"id": "mine"}])
    told = gravity(*SCRIPTED, "pool", "import", str(file), *how)
    assert told.out == "2 added, 0 duplicates, 4 known already, 0 set aside\n"
    assert told.err == "twice.jsonl:6: there is another scene of the id mine\n"


def test_two_equal_answers_are_a_flaw(gravity: Gravity, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "same.jsonl", [KITE | {"low": KITE["high"].upper()}])
    told = gravity(*SCRIPTED, "pool", "import", str(file))
    assert "same.jsonl:1: high: says the same as low" in told.err
    assert "1 set aside" in told.out


def test_a_damaged_pool_is_told_in_one_line(gravity: Gravity, home: Path) -> None:
    file = home / "pool" / "chroma.sqlite3"
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + bytes(len(whole) // 2) + whole[4096 + len(whole) // 2 :])
    for words in (["stats"], ["search", "rain"], ["check"]):
        assert "The pool" in one_line(gravity(*SCRIPTED, "pool", *words, code=4).err)


def test_unexamined_duplicates_come_in(gravity: Gravity, tmp_path: Path) -> None:
    like = LADDER | {"high": LADDER["low"], "low": LADDER["high"]}
    file = write_lines(tmp_path / "more.jsonl", [LADDER, like])
    told = gravity(*SCRIPTED, "pool", "import", str(file), "--unexamined")
    assert told.out == "2 added, 0 duplicates, 0 known already, 0 set aside\n"


def test_a_csv_file_is_taken_in_too(gravity: Gravity, tmp_path: Path) -> None:
    file = tmp_path / "more.csv"
    cells = [f'"{text}"' for text in LADDER.values()]
    file.write_text(f'{",".join(LADDER)},ages\n{",".join(cells)},"[20, 70]"\n', "utf-8")
    gravity(*SCRIPTED, "pool", "import", str(file))
    told = gravity(*SCRIPTED, "pool", "search", LADDER["situation"], "--json").json
    assert told[0]["scenario"].items() >= (LADDER | {"ages": [20, 70]}).items()


def test_a_file_without_content_is_told_of(gravity: Gravity, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").touch()
    told = gravity(*SCRIPTED, "pool", "import", str(tmp_path / "none.jsonl"), code=2)
    assert "none.jsonl is empty." in one_line(told.err)


def test_what_is_exported_comes_whole_into_another_home(gravity: Gravity, tmp_path: Path) -> None:
    added = gravity(*SCRIPTED, "pool", "add", *scene(LADDER), "--json").json
    told = gravity(*SCRIPTED, "pool", "export", "out.jsonl")
    assert told.out == f"{SHIPPED + 1} scenes in out.jsonl\n"
    assert [path.name for path in Path().iterdir()] == ["out.jsonl"]
    other = ("--home", str(tmp_path / "other"), *SCRIPTED, "pool")
    told = gravity(*other, "import", "out.jsonl", "--unexamined")
    assert told.out == f"1 added, 0 duplicates, {SHIPPED} known already, 0 set aside\n"
    assert not [line for line in told.err.splitlines() if "scenes: " not in line]
    assert gravity(*other, "show", added["id"], "--json").json == added
    gravity(*other, "export", "back.jsonl")
    lines = [
        set(Path(name).read_text("utf-8").splitlines()) for name in ("out.jsonl", "back.jsonl")
    ]
    assert lines[0] == lines[1]


def test_a_scene_that_is_there_is_no_duplicate_of_its_neighbours(gravity: Gravity) -> None:
    gravity(*SCRIPTED, "pool", "export", "out.jsonl", "--dimension", "hedonism")
    told = gravity(*SCRIPTED, "pool", "import", "out.jsonl")
    count = sum(s.dimension == "hedonism" for s in shipped_scenarios())
    assert told.out == f"0 added, 0 duplicates, {count} known already, 0 set aside\n"
    assert not told.err


def test_export_of_a_dimension_to_stdout(gravity: Gravity) -> None:
    lines = gravity(*SCRIPTED, "pool", "export", "--dimension", "hedonism").out.splitlines()
    wanted = [s.id for s in shipped_scenarios() if s.dimension == "hedonism"]
    assert [json.loads(line)["id"] for line in lines] == wanted


@pytest.mark.parametrize("target", ["no/such/folder.jsonl", ".."])
def test_an_export_that_cannot_be_written(gravity: Gravity, target: str) -> None:
    told = gravity(*SCRIPTED, "pool", "export", target, code=4)
    assert f"{target} cannot be written: " in one_line(told.err)
    assert not list(Path().iterdir())
    assert not list(Path().glob("../.*"))


def test_an_export_is_jsonl_and_says_so(gravity: Gravity) -> None:
    told = gravity(*SCRIPTED, "pool", "export", "out.csv", code=2)
    assert "ends in .jsonl" in told.err
    assert not list(Path().iterdir())


@pytest.mark.parametrize("target", ["", ".", "/"])
def test_a_target_without_a_name_cannot_be_written(gravity: Gravity, target: str) -> None:
    told = gravity(*SCRIPTED, "pool", "export", target, code=4)
    assert "cannot be written" in one_line(told.err)


def test_escape_sequences_reach_no_terminal(gravity: Gravity, tmp_path: Path) -> None:
    row = LADDER | {"id": f"n{NASTY}", "parents": [NASTY], "situation": NASTY + LADDER["situation"]}
    row |= {"high": LADDER["high"] + NASTY, "low": LADDER["low"] + NASTY}
    rows = [row, row | {"id": f"m{NASTY}"}, KITE | {"domain": NASTY}, KITE | {"dimension": NASTY}]
    file = str(write_lines(tmp_path / "more.jsonl", rows))
    told = gravity(*SCRIPTED, "pool", "import", file, "--unexamined")
    assert told.out.startswith("2 added")
    harmless(told.err)
    commands: Sequence[list[str]] = (
        ["search", LADDER["situation"]],
        ["search", LADDER["situation"], "--json"],
        ["show", f"n{NASTY}"],
        ["show", f"n{NASTY}", "--json"],
        ["stats"],
        ["export", "--dimension", "adventurousness"],
    )
    for words in commands:
        told = gravity(*SCRIPTED, "pool", *words)
        harmless(told.out, told.err)
    assert gravity(*SCRIPTED, "pool", "show", f"n{NASTY}", "--json").json.items() >= row.items()
    for words in (["show", f"x{NASTY}"], ["search", "rain", "--dimension", NASTY]):
        harmless(gravity(*SCRIPTED, "pool", *words, code=2).err)
    harmless(gravity(*SCRIPTED, "pool", "add", *scene(row | {"parents": ""}), code=2).err)
    for words in (["check", file], ["check", file, "--json"], ["check"], ["import", file]):
        ended = 0 if words[0] == "import" else 1
        told = gravity(*SCRIPTED, "pool", *words, code=ended)
        harmless(told.out, told.err)


def test_the_shipped_pool_passes_its_check(gravity: Gravity) -> None:
    told = gravity(*SCRIPTED, "pool", "check")
    assert f"✓ every scenario  0 flaws in {SHIPPED} scenarios" in told.out
    assert "✗" not in told.out


def test_check_for_scripts(gravity: Gravity) -> None:
    told = gravity(*SCRIPTED, "pool", "check", "--json").json
    assert [finding["check"] for finding in told][:4] == [
        "every scenario",
        "length",
        "words",
        "nearness",
    ]
    assert {finding["level"] for finding in told} <= {"ok", "warn"}


def test_check_of_a_file_finds_what_is_to_be_mended(gravity: Gravity, tmp_path: Path) -> None:
    twins = [LADDER | {"id": name} for name in ("one", "two")]
    file = write_lines(tmp_path / "more.jsonl", twins)
    told = gravity(*SCRIPTED, "pool", "check", str(file), code=1)
    assert "✗ nearness" in told.out
    assert "one and two: 1.00" in told.out
    told = gravity(*SCRIPTED, "pool", "check", str(file), "--json", code=1)
    assert "fail" in {finding["level"] for finding in told.json}
    file = write_lines(tmp_path / "flawed.jsonl", [LADDER | {"high": "Yes."}])
    told = gravity(*SCRIPTED, "pool", "check", str(file), code=1)
    assert told.err.startswith("flawed.jsonl:1: high: ")


def test_beside_another_process_every_command_says_so(gravity: Gravity, home: Path) -> None:
    file = write_lines(home.parent / "more.jsonl", [LADDER])
    lock = lock_pool(home / "pool")
    for words in (
        ["stats"],
        ["show", FIRST.id],
        ["search", "rain"],
        ["add", *scene(LADDER)],
        ["import", str(file)],
        ["export", "out.jsonl"],
        ["check"],
    ):
        told = gravity(*SCRIPTED, "pool", *words, code=4)
        assert "Another gravity process has the pool" in one_line(told.err)
        assert not told.out
    lock.release()
    assert not list(Path().iterdir())
    assert gravity(*SCRIPTED, "pool", "stats", "--json").json["scenes"] == SHIPPED
