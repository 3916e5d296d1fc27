"""The keys that Python reads from its environment, by the calls of every library that is known."""

import ast
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace

from rulezero_policies.parity.program import ANY, Program, Text
from rulezero_policies.parity.pyfile import Function, Parameter, PyFile
from rulezero_policies.parity.reads import Read, asked, key_of
from rulezero_policies.parity.values import Need
from rulezero_policies.references import SourceFile

_WORDS = re.compile(
    r"\benviron(?P<sure>\[)\s*['\"](?P<one>\w+)['\"]\s*\](?!\s*=[^=])"
    r"|\b(?:environ\.(?:get|pop|setdefault)|getenv)\(\s*['\"](?P<other>\w+)['\"]"
)

_MAPS = {
    "os.environ": "os.environ",
    "os.environ.copy()": "os.environ",
    "dotenv.dotenv_values()": "dotenv_values",
    "dotenv.main.dotenv_values()": "dotenv_values",
}
"""Mappings of keys to values, and how they are called."""

_ENVIRONS = frozenset(
    {"environs.Env()", "environs.env", "environs.FileAwareEnv()", "environs.environs.Env()"}
)
_DJANGO = frozenset({"environ.Env()", "environ.Env", "environ.FileAwareEnv()"})
_STARLETTE = frozenset({"starlette.config.Config()"})
_DECOUPLE = frozenset({"decouple.config", "decouple.AutoConfig()", "decouple.Config()"})

_TYPES = frozenset(
    {
        *("str", "bytes", "bool", "int", "float", "decimal", "list", "dict", "json", "datetime"),
        *("date", "time", "path", "log_level", "timedelta", "uuid", "url", "enum", "unicode"),
        *("dj_db_url", "dj_email_url", "dj_cache_url", "tuple", "db", "db_url", "cache"),
        *("cache_url", "email", "email_url", "search_url", "channels", "channels_url", "get_value"),
    }
)
"""Methods of environs and django-environ that read one key."""

_NAMED = {
    **dict.fromkeys(("db", "db_url"), "DATABASE_URL"),
    **dict.fromkeys(("cache", "cache_url"), "CACHE_URL"),
    **dict.fromkeys(("email", "email_url"), "EMAIL_URL"),
    **dict.fromkeys(("channels", "channels_url"), "CHANNELS_URL"),
    "search_url": "SEARCH_URL",
}
"""What django-environ's methods read where no key is named."""


def read(program: Program) -> list[Read]:
    """Every place that reads a key, helpers followed to where they are called."""
    found = [r for file in program.files for r in _Reader(program, file).read()]
    own, helpers = _parted(program, found)
    return [*own, *_called(program, helpers)]


def by_words(source: SourceFile, service: str) -> Iterator[Need]:
    """What a file reads by the look of it: Python newer than the one that runs here."""
    for found in _WORDS.finditer(source.text):
        yield Need(
            key=found["one"] or found["other"],
            service=service,
            path=source.path,
            line=bisect_left(source.breaks, found.start()) + 1,
            required=found["sure"] is not None,
            how="os.environ[]" if found["sure"] else "os.environ.get",
        )


class _Reader:
    def __init__(self, program: Program, file: PyFile) -> None:
        self._program = program
        self._file = file

    def read(self) -> Iterator[Read]:
        """What the file reads."""
        for node in self._file.nodes:
            match node:
                case ast.Subscript(ctx=ast.Load()):
                    yield from self._subscript(node)
                case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[held]):
                    yield from self._contained(node, held)
                case ast.Call():
                    yield from self._call(node)
                case _:
                    pass

    def _map(self, node: ast.expr) -> str | None:
        return _MAPS.get(self._program.origin(self._file, node))

    def _made(self, node: ast.expr, key: ast.AST | None, how: str, **more: object) -> Read:
        texts = self._program.texts(self._file, key)
        return replace(Read(file=self._file, node=node, texts=texts, how=how), **more)

    def _subscript(self, node: ast.Subscript) -> Iterator[Read]:
        if how := self._map(node.value):
            yield self._made(node, node.slice, f"{how}[]", strict=True)

    def _contained(self, node: ast.Compare, held: ast.expr) -> Iterator[Read]:
        if how := self._map(held):
            found = self._made(node, node.left, f"in {how}")
            yield replace(found, default=ast.Constant(value=False))

    def _call(self, node: ast.Call) -> Iterator[Read]:
        name = self._program.origin(self._file, node.func)
        holder, _, method = name.rpartition(".")
        if name == "os.getenv":
            yield self._got(node, "os.getenv")
        elif holder in _MAPS and method in {"get", "pop", "setdefault"}:
            yield self._got(node, f"{_MAPS[holder]}.{method}")
        elif name in _DECOUPLE:
            yield self._strict(node, "python-decouple", 1)
        elif name in _STARLETTE or (holder in _STARLETTE and method == "get"):
            yield self._prefixed(self._strict(node, "starlette", 2), node.func, "env_prefix")
        elif name in _DJANGO or (holder in _DJANGO and method in _TYPES):
            yield self._django(node, method if holder in _DJANGO else "")
        elif name in _ENVIRONS or (holder in _ENVIRONS and method in _TYPES):
            yield self._environs(node)
        elif _last(node.func) == "startswith" and self._of_environment(node):
            yield self._family(node)
        else:
            yield from self._click(node)

    def _got(self, node: ast.Call, how: str) -> Read:
        pop = how.endswith(".pop") and len(node.args) < 2
        default = _argument(node, 1, "default")
        none = isinstance(default, ast.Constant) and default.value is None
        return self._made(
            node, _argument(node, 0, "key"), how, strict=pop, default=None if none else default
        )

    def _strict(self, node: ast.Call, how: str, position: int) -> Read:
        """A library's reading: it fails where there is neither value nor default."""
        default = _argument(node, position, "default")
        found = self._made(node, key_of(node), how, strict=default is None)
        return replace(found, default=default)

    def _prefixed(self, read: Read, holder: ast.expr, keyword: str) -> Read:
        """`read` with the prefix that its reader was made with."""
        texts = read.texts
        made = self._construction(holder)
        if made is not None and (given := _argument(made[1], -1, keyword)):
            texts = _before(self._program.texts(made[0], given), texts)
        return replace(read, texts=texts)

    def _construction(self, holder: ast.expr) -> tuple[PyFile, ast.Call] | None:
        """The call that made an object that is held by a name."""
        name = holder.value if isinstance(holder, ast.Attribute) else holder
        if isinstance(name, ast.Attribute):
            name = name.value if self._program.origin(self._file, name).endswith(")") else name
        if not isinstance(name, ast.Name):
            return None
        pairs = self._program.values(self._file, name)
        return next(((f, v) for f, v in pairs if isinstance(v, ast.Call)), None)

    def _environs(self, node: ast.Call) -> Read:
        read = self._strict(node, "environs", 1)
        texts = read.texts
        for outer in self._file.above(node):
            for item in outer.items if isinstance(outer, ast.With) else ():
                match item.context_expr:
                    case ast.Call(func=ast.Attribute(attr="prefixed"), args=[prefix, *_]):
                        texts = _before(self._program.texts(self._file, prefix), texts)
                    case _:
                        pass
        return self._prefixed(replace(read, texts=texts), node.func, "prefix")

    def _django(self, node: ast.Call, method: str) -> Read:
        read = self._strict(node, "django-environ", 1 if method else 2)
        if method in _NAMED and key_of(node) is None:
            read = replace(read, texts=(Text(value=_NAMED[method]),))
        return self._schemed(read, node.func)

    def _schemed(self, read: Read, holder: ast.expr) -> Read:
        """`read` with the default that `Env(DEBUG=(bool, False))` gave the key."""
        made = self._construction(holder)
        for keyword in made[1].keywords if made else ():
            value = keyword.value
            named = keyword.arg in {t.value for t in read.texts}
            if named and isinstance(value, ast.Tuple) and len(value.elts) == 2:
                return replace(read, default=read.default or value.elts[1], strict=False)
        return read

    def _of_environment(self, node: ast.Call) -> bool:
        """Whether a loop through the environment asks this of a key."""
        for outer in self._file.above(node):
            match outer:
                case ast.For(iter=held):
                    iterated = [held]
                case ast.DictComp(generators=made) | ast.ListComp(generators=made):
                    iterated = [g.iter for g in made]
                case _:
                    iterated = []
            names = {self._program.origin(self._file, i) for i in iterated}
            if names & {"os.environ", "os.environ.items()", "os.environ.keys()"}:
                return True
        return False

    def _family(self, node: ast.Call) -> Read:
        prefixes = self._program.texts(self._file, node.args[0] if node.args else None)
        texts = _before(prefixes, (ANY,))
        never = ast.Constant(value=False)
        return Read(file=self._file, node=node, texts=texts, how="os.environ", default=never)

    def _click(self, node: ast.Call) -> Iterator[Read]:
        match _argument(node, -1, "envvar"):
            case ast.List(elts=keys) | ast.Tuple(elts=keys):
                given = keys
            case None:
                given = []
            case key:
                given = [key]
        for key in given:
            # Whether an option is required, the command line may say as well.
            yield self._made(node, key, "click envvar", default=ast.Constant(value=...))


def _argument(node: ast.Call, position: int, name: str) -> ast.expr | None:
    if 0 <= position < len(node.args):
        return node.args[position]
    return next((k.value for k in node.keywords if k.arg == name), None)


def _before(prefixes: tuple[Text, ...], texts: tuple[Text, ...]) -> tuple[Text, ...]:
    return tuple(
        Text(value=p.value + t.value, whole=p.whole and t.whole) for p in prefixes for t in texts
    )


# Functions of the project's own that read the key they are given.

_Helper = tuple[Function, Parameter, Read]


def _parted(program: Program, found: list[Read]) -> tuple[list[Read], list[_Helper]]:
    own: list[Read] = []
    helpers: list[_Helper] = []
    for read in found:
        given = program.parameter(read.file, key_of(read.node))
        if given is not None and isinstance(given.owner, Function):
            helpers.append((given.owner, given, read))
        else:
            own.append(read)
    return own, helpers


def _called(program: Program, helpers: list[_Helper]) -> Iterator[Read]:
    names = {function.name for function, _, _ in helpers}
    used: set[int] = set()
    for file in program.files if helpers else ():
        for node in file.nodes:
            if isinstance(node, ast.Call) and _last(node.func) in names:
                known = program.called(file, node.func)
                called = known[1] if known else None
                used |= {id(called)}
                yield from _through(program, file, node, [h for h in helpers if h[0] is called])
    # What nobody is seen to call is called by somebody else, with any key.
    yield from (replace(r, texts=(ANY,)) for f, _, r in helpers if id(f) not in used)


def _last(func: ast.expr) -> str:
    match func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _through(
    program: Program, file: PyFile, call: ast.Call, helpers: list[_Helper]
) -> Iterator[Read]:
    for function, key, read in helpers:
        first = _receiver(read.file, function)
        given = _argument(call, key.position - first, key.name)
        if given is not None:
            yield _passed_on(program, file, call, (function, key, read), given)


def _receiver(file: PyFile, function: Function) -> int:
    """Arguments that a call does not write: `self`."""
    static = any(ast.unparse(d) == "staticmethod" for d in function.decorator_list)
    return int(isinstance(file.parent(function), ast.ClassDef) and not static)


def _passed_on(
    program: Program, file: PyFile, call: ast.Call, helper: _Helper, key: ast.expr
) -> Read:
    owner, asked_for, read = helper
    default = read.default
    fallback = _fallback(read, owner)
    if fallback is not None:
        first = _receiver(read.file, fallback.owner) if isinstance(fallback.owner, Function) else 0
        default = _argument(call, fallback.position - first, fallback.name) or fallback.default
    return Read(
        file=file,
        node=call,
        texts=program.texts(file, key),
        how=f"{read.how} in {_last(call.func)}()",
        strict=read.strict and _none(default) and not _mends(read, asked_for, owner),
        default=None if _none(default) else default,
    )


def _none(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def _fallback(read: Read, owner: Function) -> Parameter | None:
    """The parameter that a helper gives back where there is no such key."""
    others = [
        b
        for bindings in read.file.inside(owner).values()
        for b in bindings
        if isinstance(b, Parameter) and b.name.lower() in {"default", "fallback", "default_value"}
    ]
    return others[0] if others else None


def _mends(read: Read, key: Parameter, owner: Function) -> bool:
    """Whether a helper asks first, or catches the error of its own reading."""
    if asked(read.file, read.node, frozenset({key.name})):
        return True
    caught = any(
        isinstance(n, ast.Try) and any(read.node is m for s in n.body for m in ast.walk(s))
        for n in ast.walk(owner)
    )
    return caught and not any(isinstance(n, ast.Raise) for n in ast.walk(owner))
