"""What a person may choose about serving; imports nothing heavy and serves nothing."""

from pydantic import Field

from agents.settings import Section


class ServingSettings(Section):
    """The `[serving]` section of gravity.toml."""

    host: str = "127.0.0.1"
    """Address to listen on; one that others can reach needs a token."""
    port: int = Field(default=8765, ge=0, le=65535)
    """0 takes any free port."""
    token_env: str = "GRAVITY_TOKEN"
    """Environment variable that holds the bearer token; where it is unset, none is asked."""
    max_new_tokens: int = Field(default=160, ge=1)
    """Tokens of an answer at most, where the request does not say."""
    temperature: float = Field(default=0.3, ge=0)
    """Of sampling; 0 always takes the likeliest token."""
    seed: int = 7
    """The same request with the same seed gets the same answer."""
