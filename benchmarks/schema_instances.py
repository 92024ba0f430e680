"""Makes JSON that a JSON Schema allows, by dice; it knows the keywords that pydantic writes.

These are $ref, anyOf, const, enum, type, and the bounds of strings, numbers,
arrays and objects. Of an enumeration the first value is taken with a given probability, since
whoever asks puts first what is right.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from benchmarks.patterns import matching

Schema = Mapping[str, Any]
MOST_ITEMS = 3
"""In an array that may have more."""
DEEPEST = 6
"""Levels below which nothing that may be left out is told."""
TRIES = 200
"""At a string that has both a pattern and bounds."""


@dataclass(frozen=True)
class Instances:
    """JSON values by one set of dice.

    Args:
        dice: what they are made by.
        text: makes a string of at least and at most so many characters.
        first: probability of the first value of an enumeration.
    """

    dice: random.Random
    text: Callable[[random.Random, int, int], str]
    first: float

    def of(self, schema: Schema) -> Any:
        """A value that the schema allows.

        Raises:
            ValueError: the schema asks for what is not made here.
        """
        return self._value(schema, schema, 0)

    def _value(self, schema: Schema, root: Schema, depth: int) -> Any:
        if "$ref" in schema:
            return self._value(_resolved(str(schema["$ref"]), root), root, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._chosen(schema["enum"])
        if "anyOf" in schema:
            return self._value(self.dice.choice(schema["anyOf"]), root, depth)
        kind = schema.get("type", "object" if "properties" in schema else "string")
        match self.dice.choice(kind) if isinstance(kind, list) else kind:
            case "object":
                return self._object(schema, root, depth)
            case "array":
                return self._array(schema, root, depth)
            case "string":
                return self._string(schema)
            case "integer":
                return self._integer(schema)
            case "number":
                return self._number(schema)
            case "boolean":
                return self.dice.random() < 0.5
            case "null":
                return None
            case other:
                raise ValueError(f"type {other!r} is not made here")

    def _chosen(self, values: Sequence[Any]) -> Any:
        if len(values) == 1 or self.dice.random() < self.first:
            return values[0]
        return self.dice.choice(values[1:])

    def _object(self, schema: Schema, root: Schema, depth: int) -> dict[str, Any]:
        properties = cast("dict[str, Schema]", schema.get("properties", {}))
        required = schema.get("required", ())
        told = {n: p for n, p in properties.items() if n in required or depth < DEEPEST}
        return {name: self._value(part, root, depth + 1) for name, part in told.items()}

    def _array(self, schema: Schema, root: Schema, depth: int) -> list[Any]:
        least = int(schema.get("minItems", 0))
        most = min(int(schema.get("maxItems", least + MOST_ITEMS)), least + MOST_ITEMS)
        count = self.dice.randint(least, most) if depth < DEEPEST else least
        return [self._value(schema.get("items", {}), root, depth + 1) for _ in range(count)]

    def _string(self, schema: Schema) -> str:
        least, most = int(schema.get("minLength", 0)), int(schema.get("maxLength", 0))
        if "pattern" not in schema:
            return self.text(self.dice, least, most or max(2 * least, 80))
        for _ in range(TRIES):
            made = matching(str(schema["pattern"]), self.dice)
            if len(made) >= least and (not most or len(made) <= most):
                return made
        raise ValueError(f"nothing of that length was made for {schema['pattern']!r}")

    def _integer(self, schema: Schema) -> int:
        least, most = _bounds(schema, 1)
        return self.dice.randint(math.ceil(least), math.floor(most))

    def _number(self, schema: Schema) -> float:
        least, most = _bounds(schema, 1e-3)
        return round(min(most, max(least, self.dice.uniform(least, most))), 3)


def _bounds(schema: Schema, step: float) -> tuple[float, float]:
    """The least and the greatest number; `step` off a bound that is not included."""
    least = schema.get("minimum", schema.get("exclusiveMinimum", None))
    most = schema.get("maximum", schema.get("exclusiveMaximum", None))
    low = (least if least is not None else (most or 0) - 100) + step * (
        "exclusiveMinimum" in schema
    )
    high = (most if most is not None else low + 100) - step * ("exclusiveMaximum" in schema)
    return low, high


def _resolved(reference: str, root: Schema) -> Schema:
    found: Any = root
    for step in reference.split("/")[1:]:
        found = found[step]
    return found
