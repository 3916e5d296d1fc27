"""The worker's door: `__main__.py FOLDER`, `--warm FLAVOUR`, or `--run FOLDER LOCK`."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120 - pathlib is not loaded yet

# Python put this folder first: nothing of it may shadow a module of the project or the library.
sys.path[:] = [entry for entry in sys.path if not entry or os.path.realpath(entry) != HERE]

import importlib.util  # noqa: E402 - only now is it certain to be the library's
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402

PACKAGE = "_rulezero_worker"


def _load() -> None:
    """Load the siblings of this file as a package whose name no project uses."""
    spec = importlib.util.spec_from_file_location(
        PACKAGE, Path(HERE, "__init__.py"), submodule_search_locations=[HERE]
    )
    if spec is None or spec.loader is None:
        raise ImportError(HERE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    _load()
    if sys.argv[1] == "--warm":
        import_module(f"{PACKAGE}.warm").serve(sys.argv[2])
    if sys.argv[1] == "--run":
        import_module(f"{PACKAGE}.running").main(*sys.argv[2:4])
    import_module(f"{PACKAGE}.protocol").main(sys.argv[1])
