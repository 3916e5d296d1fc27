"""Which environment a settings file or a compose file is for, by its name."""

import re
from collections.abc import Iterable

EXAMPLE, LOCAL = "example", "local"

_ALIASES = {
    **dict.fromkeys(("example", "sample", "template", "tmpl", "tpl", "dist", "defaults"), EXAMPLE),
    **dict.fromkeys(("production", "prod", "prd", "live"), "production"),
    **dict.fromkeys(("staging", "stage", "stg", "preprod"), "staging"),
    **dict.fromkeys(("development", "dev", "develop"), "development"),
    **dict.fromkeys(("test", "tests", "testing", "ci", "e2e"), "test"),
    "local": LOCAL,
    "qa": "qa",
    "uat": "uat",
    "demo": "demo",
    "preview": "preview",
}

_NO_SETTINGS = frozenset(
    {
        *("bak", "backup", "old", "orig", "save", "swp", "tmp", "rej", "enc", "gpg", "age", "asc"),
        *("vault", "keys", "key", "py", "js", "cjs", "mjs", "ts", "json", "yml", "yaml", "toml"),
        *("sh", "md", "rst", "j2", "jinja", "jinja2", "erb", "me", "schema", "zip", "gz", "lock"),
    }
)

_COMPOSE = re.compile(r"(?:docker-)?compose(?P<middle>[.\-_][\w.\-]+?)?\.ya?ml", re.IGNORECASE)

_OVERRIDE = ("override", "local")

_DEPLOYED = {"deploy": "production", "deployment": "production", "release": "production"}


def environment(name: str) -> str | None:
    """The environment that a file of this name is for; None where it is no settings file.

    `.env.production`, `.env.prod.local`, `production.env` are; so is any `.env.NAME` of one word.
    A file that is an example for some environment is an example.
    """
    parts = _parts(name)
    if parts is None or _NO_SETTINGS & set(parts):
        return None
    if not parts:
        return LOCAL
    known = [_ALIASES[part] for part in parts if part in _ALIASES]
    if EXAMPLE in known:
        return EXAMPLE
    # `.env.production.local` is production's, on one machine.
    told = [one for one in known if one != LOCAL] or known
    if told:
        return told[-1]
    return parts[0] if name.startswith(".env") and len(parts) == 1 else None


def _parts(name: str) -> list[str] | None:
    if name == ".env" or name.startswith((".env.", ".env-", ".env_")):
        return [part for part in re.split(r"[.\-_]", name[4:].lower()) if part]
    if name.endswith(".env"):
        parts = [part for part in re.split(r"[.\-_]", name[:-4].lower()) if part]
        # `api.env` says whose it is and not for which environment: that has to be declared.
        return parts if any(part in _ALIASES for part in parts) else None
    stem = re.fullmatch(r"(?:dot)?env[.\-_](\w+)", name.lower())
    return [stem[1]] if stem and stem[1] in _ALIASES else None


def own_names(declared: Iterable[str]) -> dict[str, str]:
    """What a project calls the environments that have a usual name: {"production": "live"}."""
    usual = ((_ALIASES.get(name.lower()), name) for name in declared)
    return {known: name for known, name in usual if known is not None}


def of_folder(folder: str) -> str | None:
    """The environment that a folder's name stands for (`.envs/.production`)."""
    return _ALIASES.get(folder.lstrip(".").lower())


def compose_environment(name: str) -> str | None:
    """The environment of a compose file, "" for the base of all; None where it is none.

    `docker-compose.gpu.yml` is for no environment: it adds something to any.
    """
    match = _COMPOSE.fullmatch(name)
    if match is None:
        return None
    parts = [part for part in re.split(r"[.\-_]", (match["middle"] or "").lower()) if part]
    if not parts:
        return ""
    if any(part in _OVERRIDE for part in parts):
        return LOCAL
    known = [_ALIASES.get(part, _DEPLOYED.get(part)) for part in parts]
    return next((one for one in reversed(known) if one is not None), None)
