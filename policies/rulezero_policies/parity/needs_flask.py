"""The keys that Flask's own configuration reads: what a program takes from `app.config`."""

import ast
from collections.abc import Iterator

from rulezero_policies.parity.program import Program
from rulezero_policies.parity.pyfile import PyFile
from rulezero_policies.parity.reads import Read

_FLASKS_OWN = frozenset(
    {
        *(
            "DEBUG",
            "TESTING",
            "SECRET_KEY",
            "SERVER_NAME",
            "APPLICATION_ROOT",
            "SESSION_COOKIE_NAME",
        ),
        *(
            "PERMANENT_SESSION_LIFETIME",
            "MAX_CONTENT_LENGTH",
            "PREFERRED_URL_SCHEME",
            "USE_X_SENDFILE",
        ),
        *("SEND_FILE_MAX_AGE_DEFAULT", "TEMPLATES_AUTO_RELOAD", "PROPAGATE_EXCEPTIONS"),
    }
)
"""Keys that Flask gives a value itself (Flask.default_config)."""


def read(program: Program) -> list[Read]:
    """What is read of `app.config` where it is filled from the environment."""
    calls = [(f, n) for f in program.files for n in f.nodes if isinstance(n, ast.Call)]
    found = [r for file, node in calls for r in _file_named(program, file, node)]
    prefixes = [p for file, node in calls for p in _prefixes(program, file, node)]
    if prefixes:
        filled = _filled(program)
        taken = [r for file in program.files for r in _taken(program, file)]
        for name, one in taken:
            found.extend(_prefixed(program, one, name, prefixes, filled))
    return found


def _file_named(program: Program, file: PyFile, node: ast.Call) -> Iterator[Read]:
    """`app.config.from_envvar("APP_SETTINGS")`."""
    match node:
        case ast.Call(func=ast.Attribute(attr="from_envvar"), args=[key, *rest], keywords=more):
            silent = bool(rest) or any(k.arg == "silent" for k in more)
            texts = program.texts(file, key)
            yield Read(
                file=file, node=node, texts=texts, how="Flask from_envvar", strict=not silent
            )
        case _:
            return


def _prefixes(program: Program, file: PyFile, node: ast.Call) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute(attr="from_prefixed_env"), args=args, keywords=more):
            named = [k.value for k in more if k.arg == "prefix"]
            given = [*args, *named][:1]
            texts = program.texts(file, given[0]) if given else ()
            yield from [t.value for t in texts] or ["FLASK"]
        case _:
            return


def configured(node: ast.AST) -> tuple[str, ast.expr | None, bool] | None:
    """What an expression takes of `app.config`: the key, its default, whether it must be there."""
    match node:
        case ast.Subscript(value=held, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
            return (name, None, True) if is_config(held) else None
        case ast.Call(func=ast.Attribute(value=held, attr="get"), args=args):
            match args:
                case [ast.Constant(value=str(name)), *rest] if is_config(held):
                    return name, next(iter(rest), None), False
                case _:
                    return None
        case _:
            return None


def is_config(node: ast.expr) -> bool:
    """Whether an expression is written like a Flask application's configuration."""
    match node:
        case ast.Attribute(attr="config", value=ast.Name(id=name) | ast.Attribute(attr=name)):
            return "app" in name.lower() or name in {"self", "flask"}
        case ast.Attribute(attr="config", value=ast.Call()):
            return True
        case _:
            return False


def _taken(program: Program, file: PyFile) -> Iterator[tuple[str, Read]]:
    for node in file.nodes:
        if isinstance(node, ast.expr) and (found := configured(node)):
            name, default, strict = found
            texts = program.texts(file, ast.Constant(value=name))
            yield (
                name,
                Read(
                    file=file,
                    node=node,
                    texts=texts,
                    how="Flask from_prefixed_env",
                    strict=strict,
                    default=default,
                ),
            )


def _prefixed(
    program: Program, one: Read, name: str, prefixes: list[str], filled: set[str]
) -> Iterator[Read]:
    for prefix in dict.fromkeys(prefixes):
        texts = program.texts(one.file, ast.Constant(value=f"{prefix}_{name}"))
        strict = one.strict and name not in filled | _FLASKS_OWN
        yield Read(
            file=one.file,
            node=one.node,
            texts=texts,
            how=one.how,
            strict=strict,
            default=one.default,
        )


def _filled(program: Program) -> set[str]:
    """Names that the program gives a value itself, whatever the environment says."""
    found: set[str] = set()
    for file in program.files:
        for node in file.nodes:
            match node:
                case ast.Subscript(
                    value=held, slice=ast.Constant(value=str(name)), ctx=ast.Store()
                ):
                    found |= {name} if is_config(held) else set()
                case ast.Call(func=ast.Attribute(attr="from_mapping" | "update"), keywords=said):
                    found |= {k.arg for k in said if k.arg}
                case ast.Call(
                    func=ast.Attribute(attr="setdefault"), args=[ast.Constant(value=str(name)), *_]
                ):
                    found.add(name)
                case ast.Name(id=name, ctx=ast.Store()) if name.isupper():
                    found.add(name)
                case _:
                    pass
    return found
