"""Every check of an audit can fail: a sound set passes, and each planted fault is named."""

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from agents.errors import InputError, TrainingError
from agents.findings import Finding
from agents.records import FACETS
from agents.scripted import ScriptedEmbedder
from tests.tiny_model import TEMPLATE, pair_row, write_pairs
from training.audit import audit
from training.dataset import read_pairs
from training.dpo import train
from training.events import PairsChecked, TrainingEvent
from training.pair_set import PairSet
from training.settings import TrainingSettings

SETTINGS = TrainingSettings(max_length=64)


@pytest.fixture
def tokenizer(tiny_base: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny_base)


def scenes(count: int = 20) -> list[dict[str, Any]]:
    """Each scene for two readers of opposite minds."""
    rows = [pair_row(n, n) for n in range(count)]
    rows += [pair_row(count + n, n, "tom", swap=True) for n in range(count)]
    for row, facet in zip(rows, FACETS * count, strict=False):
        row["facet"] = facet
    return rows


def audited(
    file: Path,
    rows: list[dict[str, Any]] | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
    settings: TrainingSettings = SETTINGS,
) -> dict[str, Finding]:
    """The findings by check, of `rows` where they are not in the file yet."""
    if rows is not None:
        write_pairs(file, rows)
    findings = audit(PairSet(read_pairs(file), tokenizer, settings, ScriptedEmbedder()))
    return {finding.check: finding for finding in findings}


def told(finding: Finding) -> str:
    return "\n".join(finding.told)


def answered(row: dict[str, Any], **answers: str) -> dict[str, Any]:
    said = {side: [{"role": "assistant", "content": text}] for side, text in answers.items()}
    return row | said


def test_a_sound_set_passes_every_check_that_it_is_large_enough_for(
    tmp_path: Path, tokenizer: PreTrainedTokenizerBase
) -> None:
    found = audited(tmp_path / "p.jsonl", scenes(), tokenizer)

    assert list(found) == [
        "usable pairs",
        "template",
        "truncation",
        "exact duplicates",
        "near duplicates",
        "contradictions",
        "length",
        "surface",
        "profile-free",
        "copied spans",
        "coverage",
        "twins",
        "split",
        "pair distance",
    ]
    small = {"length", "surface", "profile-free"}
    assert {check for check, finding in found.items() if finding.level != "ok"} == small
    assert all("not measured" in found[check].figure for check in small)


def test_two_pairs_are_too_few_and_crash_nothing(
    tmp_path: Path, tokenizer: PreTrainedTokenizerBase
) -> None:
    found = audited(tmp_path / "p.jsonl", [pair_row(0, 0), pair_row(1, 1)], tokenizer)

    assert found["usable pairs"].level == "fail"
    assert found["usable pairs"].figure.startswith("2 of 2 pairs usable")
    one = audited(tmp_path / "p.jsonl", [pair_row(0, 0)], tokenizer)
    assert one["split"].level == "fail"


def test_a_file_from_elsewhere_is_measured_as_far_as_it_tells(
    tmp_path: Path, tokenizer: PreTrainedTokenizerBase
) -> None:
    names = ("prompt", "chosen", "rejected")
    rows = [{name: row[name] for name in names} | {"dimension": None} for row in scenes()]
    path = tmp_path / "p.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)

    found = audited(path, tokenizer=tokenizer)

    assert found["coverage"].level == "warn"
    assert found["coverage"].figure == "not measured: the file names no facets and no readers"
    assert found["twins"].level == "ok", "the same situation is the same scene"
    assert "fail" not in {finding.level for finding in found.values()}


def test_a_file_that_is_no_parquet_is_an_error_of_input(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(scenes()), path)
    path.write_bytes(path.read_bytes()[:-2000] + b"PAR1")

    with pytest.raises(InputError, match=r"p\.parquet cannot be read"):
        read_pairs(path)


# --- tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "roles",
    [
        ("user", "assistant"),
        ("system",),
        ("user", "user"),
        ("user", "system", "user"),
        ("assistant",),
    ],
)
def test_roles_out_of_order_are_named(
    tmp_path: Path, roles: tuple[str, ...], tokenizer: PreTrainedTokenizerBase
) -> None:
    rows = scenes()
    rows[3]["prompt"] = [{"role": role, "content": "do help"} for role in roles]

    found = audited(tmp_path / "p.jsonl", rows, tokenizer)["template"]

    assert found.level == "fail"
    assert told(found) == f"line 4 (p3): the roles are {', '.join(roles)}"


def test_a_longer_conversation_is_in_order(
    tmp_path: Path, tokenizer: PreTrainedTokenizerBase
) -> None:
    rows = scenes()
    turns = ("user", "assistant", "user")
    rows[3]["prompt"] = [{"role": role, "content": f"help with {role}"} for role in turns]

    found = audited(tmp_path / "p.jsonl", rows, tokenizer)["template"]

    assert (found.level, found.figure) == ("ok", "roles in order; examples rendered: 2")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (TEMPLATE.replace("<|assistant|> {% endif", "<|user|> {% endif"), "no prefix"),
        (TEMPLATE.replace(" <|end|>", ""), "no special token ends"),
        (TEMPLATE.replace("m['content']", "m['content'][:4]"), "cannot be read again"),
        (TEMPLATE + "{{ raise_exception('no system role') }}", "line 1: no system role"),
        (None, "no chat template"),
    ],
)
def test_a_template_that_does_not_fit_fails(
    tmp_path: Path, tokenizer: PreTrainedTokenizerBase, template: str | None, said: str
) -> None:
    tokenizer.chat_template = template

    found = audited(tmp_path / "p.jsonl", scenes(), tokenizer)

    assert found["template"].level == "fail"
    assert said in found["template"].figure + told(found["template"])


def test_without_a_tokenizer_tokens_are_not_measured(tmp_path: Path) -> None:
    found = audited(tmp_path / "p.jsonl", scenes())

    for check in ("template", "truncation"):
        assert found[check].level == "warn"
        assert "not measured" in found[check].figure


def test_pairs_that_are_too_long_are_counted(
    tmp_path: Path, tokenizer: PreTrainedTokenizerBase
) -> None:
    rows = scenes()
    rows[0] = answered(rows[0], rejected="keep " * 60)
    some = audited(tmp_path / "p.jsonl", rows, tokenizer)["truncation"]
    most = audited(
        tmp_path / "p.jsonl", rows, tokenizer, SETTINGS.model_copy(update={"max_length": 16})
    )["truncation"]

    assert some.level == "warn"
    assert some.figure.startswith("1 of 40 pairs (2.5%) are longer than 64 tokens")
    assert some.told[0].startswith("line 1 (p0): 7")
    assert most.level == "fail"
    assert most.told[-1] == "and 28 more"


def test_pairs_that_the_filter_sets_aside_are_named(
    tmp_path: Path, tokenizer: PreTrainedTokenizerBase
) -> None:
    rows = scenes()
    rows[3]["probability"] = 0.55
    filtering = SETTINGS.model_copy(update={"doubt": "filter"})
    found = audited(tmp_path / "p.jsonl", rows, tokenizer, filtering)["usable pairs"]

    assert found.figure.startswith("39 of 40 pairs usable")
    assert found.figure.endswith("; 1 less probable than 0.7")
    assert told(found) == "line 4 (p3): probability 0.550"
    assert told(audited(tmp_path / "p.jsonl", rows, tokenizer)["usable pairs"]) == ""


# --- the same again -------------------------------------------------------------------------------


def test_repeated_and_contradicted_pairs_are_named_and_too_many_fail(tmp_path: Path) -> None:
    rows = scenes(40)
    sound = audited(tmp_path / "p.jsonl", rows)
    swapped = {"chosen": rows[1]["rejected"], "rejected": rows[1]["chosen"], "pair_id": "turned"}
    some = audited(tmp_path / "p.jsonl", [*rows, rows[0] | {"pair_id": "x"}, rows[1] | swapped])
    many = audited(tmp_path / "p.jsonl", rows + rows[:20])

    assert sound["exact duplicates"].level == sound["contradictions"].level == "ok"
    assert some["exact duplicates"].level == some["contradictions"].level == "warn"
    assert told(some["exact duplicates"]) == "line 81 (x)"
    assert told(some["contradictions"]) == "line 2 (p1)\nline 82 (turned)"
    assert many["exact duplicates"].level == "fail"


def test_a_scene_under_another_name_is_a_near_duplicate(tmp_path: Path) -> None:
    rows = scenes()
    again = pair_row(40, 3) | {"scenario_id": "s3 again", "pair_id": "again"}
    found = audited(tmp_path / "p.jsonl", [*rows, again])["near duplicates"]

    assert found.level == "warn"
    assert told(found) == "line 41 (again) is like line 4 (p3): 1.00, both of one reader"

    renamed = [row | {"scenario_id": f"other {row['scenario_id']}"} for row in rows]
    of_other = [row | {"reader_id": "eve"} for row in renamed]
    found = audited(tmp_path / "p.jsonl", rows + of_other)["near duplicates"]
    assert found.level == "fail"
    assert "one reader" not in told(found)


def test_a_standing_request_is_no_duplicate_but_the_same_two_answers_are(tmp_path: Path) -> None:
    books = []
    for n in range(10):
        one, other = (" ".join(f"{side}{n}{word}" for word in "abcdef") for side in "xy")
        row = answered(pair_row(n, n), chosen=one, rejected=other)
        row["prompt"][1]["content"] = "tell me of a book"
        books.append(row | {"group": f"shelf-{n % 2}"})
    sound = audited(tmp_path / "p.jsonl", books)
    again = pair_row(10, 10, "tom") | {"pair_id": "turned", "group": "shelf-0"}
    again |= {"chosen": books[0]["rejected"], "rejected": books[0]["chosen"]}
    again["prompt"][1]["content"] = "tell me of a book"
    found = audited(tmp_path / "p.jsonl", [*books, again])["near duplicates"]

    assert sound["near duplicates"].level == sound["split"].level == "ok"
    assert "line 11 (turned) is like line 1 (p0): 1.00" in told(found)
    moved = [*books, again | {"group": "shelf-1"}]
    assert audited(tmp_path / "p.jsonl", moved)["split"].level == "fail"


def test_answers_too_near_too_far_and_too_unequal_are_named(tmp_path: Path) -> None:
    rows = scenes()
    rows[0] = answered(rows[0], chosen="share it all gladly", rejected="gladly share it all")
    rows[1] = answered(rows[1], chosen="dreamt", rejected="mould")
    rows[2] = answered(rows[2], chosen="i would", rejected="i would not do so for a loan")
    found = audited(tmp_path / "p.jsonl", rows)["pair distance"]

    assert found.level == "warn"
    said = ("the answers say the same", "the answers have nothing", "one answer is 4.0 times")
    starts = [f"line {n} (p{n - 1}): {what}" for n, what in enumerate(said, 1)]
    assert [line[: len(start)] for line, start in zip(found.told, starts, strict=True)] == starts


# --- leaks ----------------------------------------------------------------------------------------


def test_answers_that_copy_the_portrait_are_named_and_many_fail(tmp_path: Path) -> None:
    span = "keeps to the rules that everybody has agreed on"
    rows = scenes()
    for row in rows:
        row["prompt"][0]["content"] += f"\n- {span}"
    one = answered(rows[4], rejected=f"i would be one who {span}")
    found = audited(tmp_path / "p.jsonl", [*rows[:4], one, *rows[5:]])["copied spans"]
    every = [answered(row, chosen=f"one who {span} n{n}") for n, row in enumerate(rows)]

    assert found.level == "warn"
    assert found.told[0].startswith("line 5 (p4), rejected: copies")
    assert audited(tmp_path / "p.jsonl", every)["copied spans"].level == "fail"


def test_a_chosen_answer_that_stands_in_the_prompt_fails(tmp_path: Path) -> None:
    rows = scenes()
    rows[2]["prompt"][1]["content"] += f": {rows[2]['chosen'][0]['content'].upper()}!"
    found = audited(tmp_path / "p.jsonl", rows)["copied spans"]

    assert found.level == "fail"
    assert told(found) == "line 3 (p2), chosen: stands whole in the prompt"


def test_a_situation_on_both_sides_of_the_split_fails_and_a_like_one_warns(tmp_path: Path) -> None:
    rows = scenes()
    text = "a friend asks for a loan and a ladder and a kite and what do i have to do to keep it {}"
    rows[0]["prompt"][1]["content"] = text.format("now")
    others = [pair_row(40 + n, 20 + n) for n in range(12)]
    for row in others:
        row["prompt"][1]["content"] = rows[0]["prompt"][1]["content"]
    found = audited(tmp_path / "p.jsonl", rows + others)["split"]
    assert found.level == "fail"
    assert "asks or says the same" in told(found)

    for n, row in enumerate(others):
        row["prompt"][1]["content"] = text.format(f"soon {n}")
    found = audited(tmp_path / "p.jsonl", rows + others)["split"]
    assert found.level == "warn"
    assert "is like it: 0.9" in told(found)


def test_a_scenario_in_two_groups_on_both_sides_fails(tmp_path: Path) -> None:
    rows = [row | {"group": f"g{n}"} for n, row in enumerate(scenes())]
    found = audited(tmp_path / "p.jsonl", rows)["split"]

    assert found.level == "fail"
    assert "its scenario is on both sides" in told(found)


# --- the set --------------------------------------------------------------------------------------


def test_what_is_not_covered_is_named(tmp_path: Path) -> None:
    rows = [row | {"facet": "value"} for row in scenes()]
    rows += [pair_row(40 + n, 100 + n, f"reader {n}") for n in range(30)]
    for row in rows[-3:]:
        row["dimension"] = "power"
    found = audited(tmp_path / "p.jsonl", rows)["coverage"]

    assert found.level == "warn"
    assert told(found) == "\n".join(
        (
            "no pair of the facet interest",
            "no pair of the facet belief",
            "no pair of the facet personality",
            "power: high only (3)",
            "ana has 29% of all pairs",
            "tom has 29% of all pairs",
        )
    )


def test_few_twins_warn_and_never_fail(tmp_path: Path) -> None:
    found = audited(tmp_path / "p.jsonl", scenes()[:20])["twins"]
    assert (found.level, found.figure[:16]) == ("warn", "0% of the pairs ")


# --- before a training ----------------------------------------------------------------------------


def test_a_training_stops_at_pairs_that_fail_and_goes_on_despite_it_where_told(
    tmp_path: Path, tiny_base: Path
) -> None:
    rows = scenes()
    rows[2]["prompt"][1]["content"] += f" {rows[2]['chosen'][0]['content']}"
    rows += rows[:10]  # set aside, which stops nothing
    pairs = write_pairs(tmp_path / "p.jsonl", rows)
    settings = SETTINGS.model_copy(update={"max_steps": 1, "lora_rank": 2})
    events: list[TrainingEvent] = []
    parts = (pairs, settings, tiny_base, tmp_path / "ana", events.append, ScriptedEmbedder())

    with pytest.raises(TrainingError, match=r"copied spans.*pairs audit .*--despite-audit"):
        train(*parts)
    (checked,) = events
    assert isinstance(checked, PairsChecked)
    assert checked.set_aside == 10
    assert {f.check for f in checked.findings if f.level == "fail"} == {"copied spans"}
    assert json.loads(checked.model_dump_json())["findings"]

    assert train(*parts, despite_audit=True).steps == 1
