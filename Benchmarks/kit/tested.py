"""What the tests have already: there is one way to make a PostgreSQL, and one to find a port."""

import importlib
import importlib.util
import pathlib
import sys


def tested(name):
    """A module of the tests' own package, which has the name of this one, so it is loaded under another."""
    folder = pathlib.Path(__file__).resolve().parents[2] / "Tests/EndToEnd/kit"
    if "tested" not in sys.modules:
        spec = importlib.util.spec_from_file_location("tested", folder / "__init__.py", submodule_search_locations=[str(folder)])
        sys.modules["tested"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["tested"])
    return importlib.import_module(f"tested.{name}")


free_port = tested("ports").free_port
