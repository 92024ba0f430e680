"""Quiets the progress bars and chatter of the training libraries; the events speak instead."""

import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def quiet_libraries() -> Generator[None, None, None]:
    """Within the block, transformers, datasets and TRL neither draw bars nor warn."""
    import datasets
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    dataset_bars = datasets.is_progress_bar_enabled()
    tqdm = os.environ.get("TQDM_DISABLE")
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    datasets.disable_progress_bars()
    os.environ["TQDM_DISABLE"] = "1"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
        if dataset_bars:
            datasets.enable_progress_bars()
        if tqdm is None:
            del os.environ["TQDM_DISABLE"]
        else:
            os.environ["TQDM_DISABLE"] = tqdm
