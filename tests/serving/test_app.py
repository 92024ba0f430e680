"""The wire, as OpenAI's own client and a bare HTTP client see it, on a real server."""

import httpx
import openai
import pytest

from tests.serving.conftest import TOKEN

ASK = [{"role": "user", "content": "a friend asks for a loan"}]
CHAT = {"model": "base", "messages": ASK}
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def client(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{address}/v1", api_key=TOKEN, max_retries=0)


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["base", "ana-v1.2", "tom"]


def test_a_stream_tells_what_the_whole_answer_tells(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="ana-v1.2", messages=ASK, seed=3)
    chunks = list(
        client.chat.completions.create(
            model="ana-v1.2",
            messages=ASK,
            seed=3,
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    choice = whole.choices[0]
    assert choice.message.role == "assistant" and choice.message.content
    pieces = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    assert "".join(pieces) == choice.message.content and len(pieces) > 3
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == choice.finish_reason
    assert chunks[-1].usage == whole.usage and whole.usage
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_stream_ends_with_done(address: str) -> None:
    reply = httpx.post(
        f"{address}/v1/chat/completions", json=CHAT | {"stream": True}, headers=BEARER
    )

    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.text.endswith("data: [DONE]\n\n")


def test_max_tokens_ends_for_length(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(**CHAT, max_completion_tokens=1, seed=3)

    assert whole.choices[0].finish_reason == "length"
    assert whole.usage and whole.usage.completion_tokens == 1


def test_text_parts_and_the_developer_role_are_understood(client: openai.OpenAI) -> None:
    said = [{"type": "text", "text": "a friend "}, {"type": "text", "text": "asks"}]
    plain = client.chat.completions.create(
        model="base",
        messages=[
            {"role": "system", "content": "help"},
            {"role": "user", "content": "a friend asks"},
        ],
    )
    parts = client.chat.completions.create(
        model="base",
        messages=[{"role": "developer", "content": "help"}, {"role": "user", "content": said}],
    )

    assert parts.choices[0].message == plain.choices[0].message


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises(openai.NotFoundError) as problem:
            client.chat.completions.create(model="nobody", messages=ASK, stream=stream)
        assert problem.value.code == "model_not_found" and problem.value.param == "model"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"model": "base"}, "messages"),
        (CHAT | {"messages": []}, "messages"),
        (CHAT | {"messages": [{"role": "user", "content": 3}]}, "messages.0.content"),
        (CHAT | {"temperature": 9}, "temperature"),
        (CHAT | {"tools": []}, "tools"),
        (CHAT | {"max_tokens": 5000}, "messages"),
        (CHAT | {"max_tokens": 5000, "stream": True}, "messages"),
    ],
)
def test_a_bad_body_names_the_field(address: str, body: dict, field: str) -> None:
    reply = httpx.post(f"{address}/v1/chat/completions", json=body, headers=BEARER)

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == field
    assert reply.json()["error"]["type"] == "invalid_request_error"


def test_what_is_no_json_is_a_bad_request(address: str) -> None:
    headers = BEARER | {"Content-Type": "application/json"}
    reply = httpx.post(f"{address}/v1/chat/completions", content=b"{", headers=headers)

    assert reply.status_code == 400 and reply.json()["error"]["message"].startswith("body: ")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}]
)
def test_a_stranger_gets_nothing_but_health(address: str, headers: dict[str, str]) -> None:
    for reply in (
        httpx.get(f"{address}/v1/models", headers=headers),
        httpx.post(f"{address}/v1/chat/completions", json=CHAT, headers=headers),
    ):
        assert reply.status_code == 401
        assert reply.json()["error"]["code"] == "invalid_api_key"
    assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}


def test_an_unknown_path_answers_in_the_same_shape(address: str) -> None:
    reply = httpx.get(f"{address}/v1/embeddings", headers=BEARER)

    assert reply.status_code == 404 and reply.json()["error"]["message"] == "Not Found"


def test_a_reader_who_hangs_up_frees_the_model(address: str) -> None:
    body = CHAT | {"stream": True, "max_tokens": 200, "temperature": 2}
    with httpx.stream("POST", f"{address}/v1/chat/completions", json=body, headers=BEARER) as reply:
        next(reply.iter_text())

    reply = httpx.post(
        f"{address}/v1/chat/completions", json=CHAT | {"max_tokens": 1}, headers=BEARER, timeout=5
    )
    assert reply.status_code == 200
