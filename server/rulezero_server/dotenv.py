"""Variables out of .env files, as python-dotenv reads them."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from rulezero_policies.errors import UnreadableConfig


def read(path: Path) -> Mapping[str, str]:
    """The variables of a .env file, later ones winning; a key without a value is left out.

    Raises:
        UnreadableConfig: The file is missing or is no UTF-8 text.
    """
    from dotenv import dotenv_values  # noqa: PLC0415 - only where an environment names a file

    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as exc:
        raise UnreadableConfig(path=path.name, reason="it does not exist") from exc
    except (OSError, ValueError) as exc:
        raise UnreadableConfig(path=path.name, reason=type(exc).__name__) from exc
    found = dotenv_values(stream=StringIO(text))
    return {key: value for key, value in found.items() if value is not None}
