"""Finds out how many calls an endpoint bears at once, by how calls end; it holds none back itself.

Additive increase, multiplicative decrease (Chiu and Jain 1989), begun with a slow start. A decrease
is a trial: where refusals stay as frequent with fewer calls, they were not about their number, and
it is taken back.
"""

import math
from dataclasses import dataclass

FIRST_LIMIT = 16
"""Calls in flight to begin with; doubled with every sample until something is refused."""
LEAST_SAMPLE = 32
"""Calls of which a share of refusals is taken, at least."""
TOLERATED = 0.05
"""Share of refusals that is no reason for a change."""
STANDARD_ERRORS = 3
"""Above the share that is refused anyway: from there on it is more than chance."""
SPARED = 0.9
"""Of what went through is asked for after a decrease."""
STEPS = 8
"""In which a limit doubles at least, where 1 more would be sooner."""
LEAST_IN_A_ROW = 8
"""Refusals without an answer between, at least, from which an endpoint is held to be silent."""
ROUND_TRIPS = 2
"""Without an answer, beside that."""
SMOOTHING = 1 / 32


@dataclass
class Sample:
    """Calls that began one after the other under one limit, and how they ended."""

    size: int
    begun: int = 0
    answered: int = 0
    refused: int = 0

    @property
    def pending(self) -> int:
        """Calls that have not ended."""
        return self.begun - self.answered - self.refused

    @property
    def share(self) -> float:
        """Of those that ended, how many were refused."""
        return self.refused / (self.answered + self.refused)

    @property
    def nearly_over(self) -> bool:
        """Whether few are pending: a call that hangs holds nobody up."""
        return self.pending <= TOLERATED * self.size


@dataclass(frozen=True)
class _Trial:
    """A decrease of which it is not known whether it mends anything."""

    before: float
    """The limit that was."""
    mended_below: float
    """Share of refusals."""


class Capacity:
    """How many calls may be in flight, learnt from those that ended.

    Args:
        most: the limit, whatever the endpoint bears.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit: float = min(most, FIRST_LIMIT)
        self._doubled_to: float = most
        """The limit up to which it is doubled; beyond, steps are added."""
        self._sample = Sample(self.limit)
        self._trial: _Trial | None = None
        self._background = 0.0
        """Share of calls that are refused whatever their number."""
        self._share = 0.0
        """Of calls that are refused, smoothed."""
        self._latency_s = 0.0
        """Of answers, smoothed."""
        self._last_answer = 0.0
        self._in_a_row = 0
        self.silent = False
        """Whether nothing comes from the endpoint; it ends with the first answer."""

    @property
    def limit(self) -> int:
        """Calls that may be in flight, where the endpoint is not silent."""
        return max(1, round(self._limit))

    def begun(self) -> Sample | None:
        """A call begins; the sample that it belongs to, if any."""
        if self._sample.begun == self._sample.size:
            return None
        self._sample.begun += 1
        return self._sample

    def answered(self, sample: Sample | None, lasted_s: float, now: float, wanted: bool) -> None:
        """Learn from an answer.

        Args:
            sample: what `begun` gave.
            lasted_s: seconds from the call to the answer.
            now: the time, in seconds.
            wanted: whether other calls wait, so that a higher limit would be used.
        """
        weight = SMOOTHING if self._latency_s else 1.0
        self._latency_s += weight * (lasted_s - self._latency_s)
        self._share -= SMOOTHING * self._share
        self._last_answer, self._in_a_row = now, 0
        if sample:
            sample.answered += 1
            self._forget(sample)
        if self.silent:
            self.silent = False
            self._background = 0.0
            self._go_to(self._limit / 2, max(self._limit, self._doubled_to))
        else:
            self._learn(wanted)

    def refused(self, sample: Sample | None, now: float, wanted: bool) -> None:
        """Learn from a refusal, a time-out or a broken connection; see `answered`."""
        self._share += SMOOTHING * (1 - self._share)
        self._in_a_row += 1
        if sample:
            sample.refused += 1
            self._forget(sample)
        if now - self._last_answer >= ROUND_TRIPS * self._latency_s:
            self.silent |= self._in_a_row >= max(LEAST_IN_A_ROW, self._limit)
        if not self.silent:
            self._learn(wanted)

    def cancelled(self, sample: Sample | None) -> None:
        """A call ended that tells nothing of the endpoint."""
        if sample:
            sample.begun -= 1

    def rest_s(self, lasted_s: float) -> float:
        """How long the place of a call stays empty that was refused after so many seconds.

        As long as an answer would have taken, so that refusals do not crowd out answers; not at all
        as far as calls are refused whatever their number.
        """
        by_number = max(0.0, 1 - self._background / self._share)
        return by_number * max(0.0, self._latency_s - lasted_s)

    def _forget(self, sample: Sample) -> None:
        """Lower the background slowly, where fewer were refused."""
        if sample.begun == sample.size and sample.pending == int(TOLERATED * sample.size):
            self._background -= SMOOTHING * max(0.0, self._background - sample.share)

    def _learn(self, wanted: bool) -> None:
        """Change the limit, once the sample at hand leaves no doubt."""
        sample = self._sample
        if sample.begun < sample.size:
            return
        if not sample.answered and sample.size >= LEAST_SAMPLE:
            self.silent = not sample.pending
        elif self._trial:
            self._judge(sample, self._trial)
        elif sample.refused + sample.pending <= self._bearable(sample.size) * sample.size:
            self._grow(wanted)
        elif sample.refused and sample.size < LEAST_SAMPLE:
            sample.size = LEAST_SAMPLE
        elif sample.nearly_over:
            self._try_fewer(sample.share)

    def _bearable(self, size: int) -> float:
        """The share of refusals, among so many calls, that is put down to chance."""
        background = self._background
        error = math.sqrt(background * (1 - background) / size)
        return background + TOLERATED + min(STANDARD_ERRORS * error, (1 - background) / 2)

    def _grow(self, wanted: bool) -> None:
        if not wanted:
            self._go_to(self._limit, self._doubled_to)
        elif self._limit < self._doubled_to:
            self._go_to(min(self._doubled_to, 2 * self._limit), self._doubled_to)
        else:
            step = min(1.0, self._limit / STEPS)
            self._go_to(min(self._most, self._limit + step), self._doubled_to)

    def _try_fewer(self, share: float) -> None:
        """Go below what went through: if it was the number of calls, only the background is left.

        The trial is decided where both errors are equally improbable: by standard deviations of
        the two shares.
        """
        low = max(self._background, TOLERATED / 2)
        at_low, at_high = math.sqrt(low * (1 - low)), math.sqrt(share * (1 - share))
        trial = _Trial(self._limit, low + (share - low) * at_low / (at_low + at_high))
        passed = (1 - share) / (1 - self._background)
        self._go_to(SPARED * passed * self._limit, self._limit / 2, trial)

    def _judge(self, sample: Sample, trial: _Trial) -> None:
        most = trial.mended_below * sample.size
        if sample.refused + sample.pending <= most:
            self._go_to(self._limit, self._doubled_to)
        elif sample.refused > most and sample.pending <= sample.size / 4:
            self._background = sample.share
            self._go_to(trial.before, self._most)

    def _go_to(self, limit: float, doubled_to: float, trial: _Trial | None = None) -> None:
        self._limit, self._doubled_to, self._trial = max(1.0, limit), doubled_to, trial
        doubling = limit < doubled_to and not trial
        self._sample = Sample(self.limit if doubling else max(LEAST_SAMPLE, self.limit))
