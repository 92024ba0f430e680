"""The architecture: rooms, door-plates, sizes, light start, and the documents that tell of them."""

import ast
import importlib
import json
import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tui.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("agents", "graph", "training", "serving", "tui")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in FILES]
HEAVY = (
    "torch",
    "transformers",
    "chromadb",
    "trl",
    "sentence_transformers",
    "langgraph",
    "alembic",
)


def run_python(code: str, cwd: Path, *path_first: Path) -> str:
    """What `code` prints in a process that has our checkout only as a distribution has it."""
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, path_first)],
        cwd=cwd,
        env=known,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


# --- rooms --------------------------------------------------------------------------------------

FOREIGN = {
    "before ours": "sys.path[:0] = [sys.argv[1], sys.argv[2]]",
    "after ours": "sys.path[:0] = [sys.argv[2]]; site.addsitedir(sys.argv[1])",
}


@pytest.mark.parametrize("where", FOREIGN)
def test_our_rooms_win_over_another_distributions_packages(tmp_path: Path, where: str):
    site_folder = tmp_path / "site"
    for room in ROOMS:
        if room != "tui":  # where every process of the product starts
            (site_folder / room).mkdir(parents=True)
            (site_folder / room / "__init__.py").write_text("raise ImportError('foreign')\n")
    code = (
        f"import json, site, sys; {FOREIGN[where]}\n"
        "import tui.cli, agents.records, graph.settings, training.settings, serving.settings\n"
        "import agents, graph, training, serving, tui\n"
        "print(json.dumps([r.__file__ for r in (agents, graph, training, serving, tui)]))"
    )
    found = json.loads(run_python(code, tmp_path, site_folder, ROOT))
    assert found == [str(ROOT / room / "__init__.py") for room in ROOMS]


def test_the_installed_command_finds_our_rooms_beside_a_foreign_agents(tmp_path: Path):
    """As a distribution such as an agents' toolkit puts it into site-packages."""
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "__init__.py").write_text("")
    code = (
        f"import site, sys; site.addsitedir({str(tmp_path)!r})\n"
        f"sys.path.append({str(ROOT)!r})\n"
        "sys.argv = ['gravity', '--help']\n"
        "from tui.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "import agents; print(agents.__file__)"
    )
    out = run_python(code, tmp_path.parent)
    assert "Personalise language models" in out
    assert out.splitlines()[-1] == str(ROOT / "agents" / "__init__.py")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_has_a_door_plate_and_fits_a_sitting(name: str):
    source = (ROOT / name).read_text("utf-8")
    assert len(source.splitlines()) <= 400
    plate = ast.get_docstring(ast.parse(source), clean=True)
    assert plate, "the first line says what the file is"
    assert len(source.splitlines()[0]) <= 100
    assert source.startswith('"""')
    assert plate.splitlines()[0].rstrip().endswith((".", "?", "!")), "a whole sentence"


def test_no_name_that_says_nothing():
    vague = {"utils", "helpers", "common", "manager", "base", "misc"}
    assert not [name for name in NAMES if Path(name).stem in vague or Path(name).stem == "schemas"]
    assert not (ROOT / "schemas").exists(), "a dependency installs a package of this name"


def test_import_contracts_watch_every_room():
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    assert set(linter["root_packages"]) == set(ROOMS)
    [stairs] = [c for c in linter["contracts"] if c["type"] == "layers"]
    floors = [{room.strip() for room in floor.split(":")} for floor in stairs["layers"]]
    assert floors == [{"tui"}, {"serving", "training"}, {"graph"}, {"agents"}]
    told = {room for c in linter["contracts"] for room in c.get("source_modules", ROOMS)}
    assert told == set(ROOMS)


@pytest.mark.parametrize(
    ("library", "only"),
    [
        ("aiohttp", {"agents/connection.py"}),
        ("chromadb", {"agents/pool.py"}),
        ("xllamacpp", {"agents/embedded.py"}),
        ("sentence_transformers", {"agents/embeddings.py"}),
    ],
)
def test_one_file_knows_a_library(library: str, only: set[str]):
    knows = re.compile(rf"^\s*(import|from) {library}\b", re.MULTILINE)
    assert {n for n in NAMES if knows.search((ROOT / n).read_text("utf-8"))} == only


# --- light start --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "begin",
    [
        "sys.argv = ['gravity', '--help']\nfrom tui.cli import main\ntry: main()\n"
        "except SystemExit as end: assert not end.code, end.code",
        "import tui.app",
    ],
    ids=["help", "first-screen"],
)
def test_nothing_heavy_is_imported_at_the_start(tmp_path: Path, begin: str):
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{begin}\n"
        f"print(sorted({set(HEAVY)!r} & {{name.split('.')[0] for name in sys.modules}}))"
    )
    assert run_python(code, tmp_path).splitlines()[-1] == "[]"


# --- documents ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def test_the_readme_maps_every_room_and_file(readme: str):
    assert [room for room in ROOMS if f"{room}/" not in readme] == []
    named = set(re.findall(r"[\w/]+\.py\b", readme))
    stems = {Path(name).name for name in named}
    plain = [n for n in NAMES if not n.endswith("__init__.py") and "/versions/" not in n]
    assert [name for name in plain if Path(name).name not in stems] == []


def test_the_readme_names_no_file_of_a_room_that_is_gone(readme: str):
    named = {n for n in re.findall(r"[\w/]+\.py\b", readme) if n.split("/")[0] in ROOMS}
    assert sorted(n for n in named if not (ROOT / n).exists()) == []


def test_the_picture_in_the_readme_is_the_machine(readme: str):
    picture = importlib.import_module("graph.picture").mermaid()
    shown = [block.strip() for block in re.findall(r"```mermaid\n(.*?)```", readme, re.DOTALL)]
    assert picture.strip() in shown


def test_langgraphs_own_tools_find_the_machine():
    config = json.loads((ROOT / "langgraph.json").read_text("utf-8"))
    for reference in config["graphs"].values():
        path, _, attribute = reference.partition(":")
        assert (ROOT / path).is_file()
        module = ".".join(Path(path).with_suffix("").parts)
        assert callable(getattr(importlib.import_module(module), attribute))
    for folder in config["dependencies"]:
        assert (ROOT / folder / "pyproject.toml").is_file()


@pytest.mark.parametrize("name", sorted(p.name for p in (ROOT / "examples").glob("*.toml")))
def test_every_example_is_a_valid_configuration(name: str, monkeypatch: pytest.MonkeyPatch):
    for variable in [v for v in os.environ if v.startswith("GRAVITY__")]:
        monkeypatch.delenv(variable)
    settings = load_settings(ROOT / "examples" / name)
    given = tomllib.loads((ROOT / "examples" / name).read_text("utf-8"))
    assert settings.model_fields_set >= given.keys()


def test_tests_reach_no_network():
    for family, address in (
        (socket.AF_INET, ("192.0.2.1", 80)),
        (socket.AF_INET6, ("2001:db8::1", 80)),
    ):
        with socket.socket(family) as line:
            for call in (line.connect, line.connect_ex):
                with pytest.raises(RuntimeError, match="Tests use no network"):
                    call(address)
