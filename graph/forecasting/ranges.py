"""A count or a sum that is not known yet: at least so much, likely so much, at most so much."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """Three figures in order: a likely one that lies outside is moved to the nearer end."""

    least: float = 0.0
    likely: float = 0.0
    most: float = 0.0

    def __post_init__(self) -> None:
        """Put the figures in order."""
        most = max(self.least, self.most)
        object.__setattr__(self, "most", most)
        object.__setattr__(self, "likely", min(max(self.least, self.likely), most))

    def __add__(self, other: "Range") -> "Range":
        """Of two things together."""
        return Range(self.least + other.least, self.likely + other.likely, self.most + other.most)

    def times(
        self, least: float, likely: float | None = None, most: float | None = None
    ) -> "Range":
        """The range of what there are so many of for each; one factor stands for all three."""
        return Range(
            self.least * least,
            self.likely * (least if likely is None else likely),
            self.most * (least if most is None else most),
        )


NOTHING = Range()
