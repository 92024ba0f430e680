"""Writes the spans of a run to a file, or sends them to a collector, after the run."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, TextIO

from agents.replacing import replacing
from graph.settings import Texts
from graph.tracing.collector import BATCH, Collector
from graph.tracing.otlp import otlp_json, readable
from graph.tracing.redaction import Redactor
from graph.tracing.traces import Span, Traces, Wanted

Form = Literal["otlp", "jsonl"]
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Before a batch is sent again."""
FORMS: tuple[Form, ...] = ("otlp", "jsonl")


class TraceExport:
    """The spans of one run as others may see them; never all in memory.

    Args:
        traces: the run database.
        run_id: of a run.
        redactor: takes secrets out.
        texts: how much of prompts and replies goes along.
    """

    def __init__(self, traces: Traces, run_id: str, redactor: Redactor, texts: Texts) -> None:
        self._traces = traces
        self._run_id = run_id
        self._redactor = redactor
        self._texts: Texts = texts

    def write(self, file: TextIO, form: Form) -> int:
        """A line for every span (`jsonl`), or for a batch as collectors read it (`otlp`).

        Returns:
            How many spans there were.
        """
        count, trace_id = 0, self._traces.trace_id(self._run_id)
        for spans in self._batches():
            count += len(spans)
            if form == "otlp":
                lines = [otlp_json(spans, trace_id)]
            else:
                lines = [json.dumps({"trace_id": trace_id} | span.__dict__) for span in spans]
            file.writelines(f"{line}\n" for line in lines)
        return count

    def save(self, path: Path, form: Form) -> int:
        """The same in a file, whole or not at all.

        Raises:
            StorageError: it cannot be written.
        """
        with (
            replacing(path, "Name another file with --out.") as draft,
            draft.open("w", encoding="utf-8") as file,
        ):
            return self.write(file, form)

    def send(self, collector: Collector) -> int:
        """Deliver all spans, patiently where the collector is busy.

        Raises:
            EndpointError: the collector is not there, or does not take them.
        """
        count, trace_id = 0, self._traces.trace_id(self._run_id)
        for spans in self._batches():
            collector.send([readable(span, trace_id) for span in spans], PAUSES_S)
            count += len(spans)
        return count

    def _batches(self) -> Iterator[Sequence[Span]]:
        spans = self._traces.each_span(Wanted(self._run_id), whole=True)
        told = (self._redactor.sent(span, self._texts) for span in spans)
        while batch := list(islice(told, BATCH)):
            yield batch
