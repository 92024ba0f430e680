"""The face: commands and screens that show what the core tells; no business logic."""

import sys
from pathlib import Path

# Every process starts here: our rooms come before another distribution's package `agents`.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
