"""Every rule of masking takes what it is for, and leaves what only looks like it."""

import pytest

from graph.failures import Failure
from graph.settings import RunSettings
from graph.tracing.redaction import Redactor, redactor_of
from graph.tracing.traces import Span
from tests.graph.spans import a_span, a_turn

PLAIN = (
    "From 1914-1918 she kept 365 letters at 12:30, pages 4-7, for $1,250.00: the sk-year plan,",
    "a well-known-and-much-loved-but-rather-long-compound, http://example.org/path?x=1, a@b,",
    'and "quoted" words; ISO 2024-01-15, run-1, w-openness-0123456789, benevolence_h1.',
)
SECRETS = {
    "an OpenAI key": "sk-proj-abcDEF0123456789abcd",
    "a hub token": "hf_abcdefghijklmnopqrst",
    "a forge token": "ghp_0123456789abcdefghij",
    "a cloud key": "AKIAIOSFODNN7EXAMPLE",
    "a web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    "a long random word": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c",
}


def with_text(text: str) -> Span:
    told = {
        "gen_ai.input.messages": [a_turn("system", "Go."), a_turn("user", text)],
        "gen_ai.output.messages": [a_turn("assistant", text)],
    }
    return a_span(1, error=text, attributes=told)


def texts_of(span: Span) -> set[str]:
    """What became of a text in the prompt, the reply and the error."""
    assert span.error is not None
    return {span.turns[1][1], span.reply, span.error}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize("texts", ["full", "redacted"])
def test_secrets_go_everywhere(secret: str, texts) -> None:
    span = Redactor().span(with_text(f"Use {secret}, please."), texts)
    assert texts_of(span) == {"Use [secret], please."}


@pytest.mark.parametrize("texts", ["full", "redacted", "none"])
def test_in_errors_they_go_whatever_is_kept(texts) -> None:
    span = a_span(1, error="401: Bearer abcdef123456 at https://ana:hush@example.org/v1")
    error = Redactor().span(span, texts).error
    assert error == "401: Bearer [secret] at https://[secret]@example.org/v1"


def test_known_secrets_go_whatever_they_look_like(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "open sesame 7")
    monkeypatch.delenv("NO_KEY", raising=False)
    redactor = redactor_of(RunSettings(), {"Authorization": "Basic YW5hOmh1c2g=", "x": "1"})
    span = redactor.span(with_text("I say open sesame 7 and YW5hOmh1c2g= and x=1."), "full")
    assert texts_of(span) == {"I say [secret] and [secret] and x=1."}
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    span = redactor_of(RunSettings()).span(with_text("There is none."), "full")
    assert texts_of(span) == {"There is none."}, "a placeholder is no secret"


@pytest.mark.parametrize("text", PLAIN)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert texts_of(Redactor().span(with_text(text), "redacted")) == {text}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Write to ana.b+c@mail.example.co.uk.", "Write to [e-mail]."),
        ("Call +49 (30) 901820-55 now.", "Call [phone] now."),
        ("Call (555) 010-0199 now.", "Call [phone] now."),
        ("They wrote: «I wept all night.»", "They wrote: «[words]»"),
        (r'{"quote": "I \"wept\" all", "pole": "high"}', '{"quote": "[words]", "pole": "high"}'),
    ],
)
def test_what_is_personal_goes_where_that_is_wanted(text: str, left: str) -> None:
    assert texts_of(Redactor().span(with_text(text), "redacted")) == {left}
    assert texts_of(Redactor().span(with_text(text), "full")) == {text}


def test_no_texts_at_all() -> None:
    span = a_span(1, error="Ana ana@example.org", attributes=with_text("x").attributes)
    left = Redactor().span(a_span(1, attributes=span.attributes | {"a": 1}), "none")  # pyright: ignore[reportOptionalOperand]
    assert left.attributes == {"a": 1}
    assert Redactor().span(span, "none").error == "Ana [e-mail]", "errors are texts, too"


def test_a_long_error_is_cut_after_it_was_masked() -> None:
    error = (
        Redactor().span(a_span(1, error="x" * 490 + f" {SECRETS['an OpenAI key']}"), "full").error
    )
    assert error == ("x" * 490 + " [secret]")[:500]


def test_a_readers_address_is_not_sent_but_kept() -> None:
    span = a_span(1, "reader", reader_id="ana@example.org", name="ana@example.org")
    assert Redactor().span(span, "none") == span, "the run database finds readers by it"
    for texts, sent in (
        ("full", "ana@example.org"),
        ("redacted", "[e-mail]"),
        ("none", "[e-mail]"),
    ):
        told = Redactor().sent(span, texts)  # pyright: ignore[reportArgumentType]
        assert (told.reader_id, told.name) == (sent, sent)


def test_halves_of_characters_are_spelt_out() -> None:
    """Neither a database nor OTLP takes them, and models cut off in the middle write them."""
    assert texts_of(Redactor().span(with_text("so \ud83d far é"), "full")) == {"so \\ud83d far é"}


@pytest.mark.parametrize(
    ("texts", "raw"),
    [
        ("full", 'ana@example.org says "yes", [secret]'),
        ("redacted", '[e-mail] says "yes", [secret]'),
        ("none", ""),
    ],
)
def test_failures_are_masked_like_spans(texts, raw: str) -> None:
    key = SECRETS["an OpenAI key"]
    said = f'ana@example.org says "yes", {key}'
    failure = Failure("one", "ana", "pair_critic", "openness", "malformed", f"Not {key}.", said)
    masked = Redactor().failure(failure, texts)
    assert (masked.problem, masked.raw) == ("Not [secret].", raw)
    assert (masked.run_id, masked.agent, masked.kind) == ("one", "pair_critic", "malformed")
