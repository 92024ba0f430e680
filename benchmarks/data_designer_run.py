"""One run of NVIDIA's data-designer: a pair for each portrait and a judge's score; nothing of ours.

To be run by the Python of an environment that holds data-designer 0.9, as `benchmarks.anchor` does.
Each record costs two calls: a structured column makes situation, chosen and rejected for a reader's
portrait, and a judge column scores them. Prints one line of JSON.
"""

import argparse
import json
import os
import re
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel, Field

MODEL, PROVIDER = "stub", "stub"


class Pair(BaseModel):
    """A situation with two answers, of which the reader prefers the first."""

    situation: str = Field(min_length=60, max_length=360)
    chosen: str = Field(min_length=50, max_length=270)
    rejected: str = Field(min_length=50, max_length=270)


PAIR = """What is known of the reader:
{{ portrait }}

Write an everyday situation in the second person, of 20 to 60 words, that ends in a question, and
two answers of 15 to 45 words: `chosen` is what this reader would say, `rejected` what somebody of
the opposite kind would say. Both are reasonable, friendly and of the same length."""
JUDGE = """What is known of the reader:
{{ portrait }}

Situation: {{ pair.situation }}

Answer A: {{ pair.chosen }}

Answer B: {{ pair.rejected }}

Judge the pair by what is known of the reader alone."""
RIGHT = {
    "yes": "the reader would prefer answer A, and nothing is wrong with the pair",
    "no": "the reader would prefer answer B, or one of the answers is not plausible",
}


def generate(endpoint: str, portraits: list[str], in_flight: int, folder: str) -> dict[str, Any]:
    """Records, seconds and CPU seconds of one `DataDesigner.create`.

    Args:
        endpoint: ends in /v1.
        portraits: one for each record.
        in_flight: calls at a time.
        folder: where data-designer keeps what it writes.
    """
    os.environ["NEMO_TELEMETRY_ENABLED"] = "false"
    import data_designer.config as dd
    import pandas as pd
    from data_designer.interface import DataDesigner

    parameters = dd.ChatCompletionInferenceParams(
        max_parallel_requests=in_flight, timeout=60, temperature=0.8, max_tokens=2000
    )
    model = dd.ModelConfig(
        alias=MODEL,
        model=MODEL,
        provider=PROVIDER,
        inference_parameters=parameters,
        skip_health_check=True,
    )
    builder = dd.DataDesignerConfigBuilder(model_configs=[model])
    builder.with_seed_dataset(dd.DataFrameSeedSource(df=pd.DataFrame({"portrait": portraits})))
    builder.add_column(
        dd.LLMStructuredColumnConfig(
            name="pair", model_alias=MODEL, prompt=PAIR, output_format=Pair
        )
    )
    score = dd.Score(name="right", description="Whether the pair is right.", options=RIGHT)
    builder.add_column(
        dd.LLMJudgeColumnConfig(name="verdict", model_alias=MODEL, prompt=JUDGE, scores=[score])
    )
    provider = dd.ModelProvider(name=PROVIDER, endpoint=endpoint, api_key="none")
    designer = DataDesigner(artifact_path=folder, model_providers=[provider])
    designer.set_run_config(
        dd.RunConfig(
            buffer_size=len(portraits),
            jinja_rendering_engine=dd.JinjaRenderingEngine.NATIVE,
            otel_metrics_port=None,
            progress_interval=60.0,
        )
    )
    written: list[tuple[float, float]] = []

    def note(_path: Path | None = None) -> None:
        written.append((time.perf_counter(), time.process_time()))

    note()
    results = designer.create(builder, num_records=len(portraits), on_batch_complete=note)
    made = results.load_dataset()
    (began, cpu_began), (ended, cpu_ended) = written[0], written[-1]
    return {
        "records": len(made),
        "accepted": sum(verdict["right"]["score"] == "yes" for verdict in made["verdict"]),
        "seconds": ended - began,
        "cpu_s": cpu_ended - cpu_began,
    }


def peak_mb() -> float:
    """Most resident memory of this process; `ru_maxrss` would count that of who started it, too."""
    [told] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    return int(told) / 1024


def main() -> None:
    """Generate as the command line says, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoint", help="of an OpenAI-compatible API, such as http://…/v1")
    parser.add_argument("portraits", type=Path, help="a JSON list of texts, one for each record")
    parser.add_argument("in_flight", type=int, help="calls at a time")
    told = parser.parse_args()
    began = time.perf_counter()
    portraits = json.loads(told.portraits.read_text("utf-8"))
    with TemporaryDirectory() as folder:
        figures = generate(told.endpoint, portraits, told.in_flight, folder)
    figures |= {
        "seconds_in_all": time.perf_counter() - began,
        "cpu_s_in_all": time.process_time(),
        "peak_mb": peak_mb(),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
