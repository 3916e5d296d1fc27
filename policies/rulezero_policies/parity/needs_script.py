"""The keys that JavaScript and TypeScript read from their environment."""

import re
from bisect import bisect_left
from collections.abc import Iterator

from rulezero_policies.parity.reads import meaning
from rulezero_policies.parity.values import Need, State
from rulezero_policies.references import SourceFile

SUFFIXES = (
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".ts",
    ".tsx",
    ".mts",
    ".cts",
    ".vue",
    ".svelte",
    ".astro",
)

_HOLDERS = r"(?:globalThis\.)?process\??\.env|import\.meta\.env|Bun\.env"

_KEY = (
    r"(?:\??\.(?P<dot>[A-Za-z_$][\w$]*)"
    r"|(?:\?\.)?\[\s*(?P<quote>['\"`])(?P<text>[\w.-]+)(?P=quote)\s*\])"
)

_DENO = re.compile(r"\bDeno\.env\.get\(\s*['\"`](?P<text>[\w.-]+)['\"`]\s*\)")

_TAKEN_APART = r"(?:const|let|var)\s*\{{(?P<names>[^{{}}]*)\}}\s*=\s*(?:{holders})\b(?!\s*[.\[])"

_ALIAS = rf"(?:const|let|var)\s+(\w+)\s*(?::[^=]+)?=\s*(?:{_HOLDERS})\s*(?:;|\n|$)"

_IMPORTED = re.compile(
    r"import\s*\{(?P<names>[^}]*)\}\s*from\s*['\"](?P<from>\$env/static/\w+|(?:node:)?process)['\"]"
)

_COMMENT = re.compile(
    r"(?P<kept>'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`)"
    r"|//[^\n]*|/\*.*?\*/|<!--.*?-->",
    re.DOTALL,
)

_LITERAL = r"'[^'\n]*'|\"[^\"\n]*\"|`[^`$]*`|true\b|false\b|null\b|undefined\b|-?\d[\d_.]*"

_DEFAULT = re.compile(rf"\s*\)?\s*(?:\?\?|\|\|)=?\s*(?P<literal>{_LITERAL})?")

_COMPARED = re.compile(rf"\s*(?P<op>[=!]==?)\s*(?P<literal>{_LITERAL})")

_ASKED = re.compile(r"\s*(?:\?(?![.?])|&&|\)\s*(?:\{|return|throw))")

_WANTED = re.compile(r"\s*(?:!(?!=)|\.(?!\.)|\[)")

_THROWS = re.compile(r"\s*\)\s*\{?\s*(?:throw\b|process\.exit)")

_BUILT_IN = frozenset({"MODE", "BASE_URL", "PROD", "DEV", "SSR"})
"""What Vite itself puts into `import.meta.env`."""

_SCHEMA = re.compile(
    r"(?:cleanEnv\(\s*process\.env\s*,|createEnv\(|(?P<name>\w+)\s*=\s*z(?:od)?\.(?:strict)?[oO]bject\()"
)

_ENTRY = re.compile(r"^\s*['\"]?([A-Z][A-Z0-9_]*)['\"]?\s*:", re.MULTILINE)


_BUILT = re.compile(r"\benv\s*:\s*\{(?P<names>[^{}]*)\}")


def built_in(source: SourceFile) -> frozenset[str]:
    """The names that Next's configuration puts into the built code: nobody sets them."""
    if not re.search(r"(?:^|/)next\.config\.\w+$", source.path):
        return frozenset()
    blocks = (m["names"] for m in _BUILT.finditer(source.text))
    return frozenset(n for b in blocks for n in re.findall(r"(?:^|,)\s*['\"]?(\w+)", b))


def is_test(path: str) -> bool:
    """Whether a script is one of the project's tests."""
    *folders, name = path.split("/")
    named = re.search(r"\.(?:test|spec|stories|e2e|cy)\.\w+$", name) is not None
    return named or not {"test", "tests", "__tests__", "__mocks__", "e2e"}.isdisjoint(folders)


def needs(source: SourceFile, service: str) -> list[Need]:
    """The keys that one script reads."""
    return list(_Script(source, service).read())


class _Script:
    def __init__(self, source: SourceFile, service: str) -> None:
        self._source = source
        self._service = service
        self._text = _COMMENT.sub(_blank, source.text)
        own = [m[1] for m in re.finditer(_ALIAS, self._text)]
        for found in _IMPORTED.finditer(self._text):
            if found["from"].endswith("process") and re.search(r"\benv\b", found["names"]):
                own.append("env")
        names = "".join(rf"|(?<![\w.$]){re.escape(n)}" for n in own)
        self._holders = f"{_HOLDERS}{names}"

    def read(self) -> Iterator[Need]:
        """Every reading."""
        for found in re.finditer(rf"(?P<holder>{self._holders}){_KEY}", self._text):
            key = found["dot"] or found["text"]
            built_in = found["holder"].startswith("import") and key in _BUILT_IN
            if not built_in and not self._is_set(found.end()):
                how = found["holder"].replace("?", "").replace("globalThis.", "")
                yield self._need(key, found, how if "." in how else "process.env")
        for found in _DENO.finditer(self._text):
            yield self._need(found["text"], found, "Deno.env.get")
        yield from self._apart()
        yield from self._imported()
        yield from self._schemas()

    def _is_set(self, end: int) -> bool:
        return re.match(r"\s*=(?![=>])", self._text[end : end + 20]) is not None

    def _need(self, key: str, found: re.Match[str], how: str) -> Need:
        after = self._text[found.end() : found.end() + 200]
        default = _DEFAULT.match(after)
        before = self._text[max(0, found.start() - 20) : found.start()]
        asked = _ASKED.match(after) or re.search(r"(?:if\s*\(|!|&&|\|\|)\s*$", before)
        demanded = re.search(r"if\s*\(\s*!\s*$", before) and _THROWS.match(after)
        wanted = default is None and not asked and _WANTED.match(after)
        state = _state(after, default)
        required = bool(demanded or wanted)
        return self._made(key, found.start(), how, required=required, default=state)

    def _made(self, key: str, at: int, how: str, *, required: bool, default: State | None) -> Need:
        return Need(
            key=key,
            service=self._service,
            path=self._source.path,
            line=bisect_left(self._source.breaks, at) + 1,
            required=required,
            how=how,
            default=default,
        )

    def _apart(self) -> Iterator[Need]:
        """`const { A, B = "x", C: c } = process.env`."""
        for found in re.finditer(_TAKEN_APART.format(holders=self._holders), self._text):
            for part in found["names"].split(","):
                one = re.match(
                    rf"\s*([A-Za-z_$][\w$]*)[^=]*(?:=\s*(?P<literal>{_LITERAL})?)?", part
                )
                if one is not None:
                    default = "off" if "=" not in part else _literal(one["literal"])
                    at = found.start("names") + found["names"].index(one[1])
                    yield self._made(one[1], at, "process.env", required=False, default=default)

    def _imported(self) -> Iterator[Need]:
        """`import { A } from "$env/static/private"`: the build fails without it."""
        for found in _IMPORTED.finditer(self._text):
            for name in re.findall(r"([A-Za-z_$][\w$]*)(?:\s+as\s+\w+)?", found["names"]):
                if found["from"].startswith("$env"):
                    how = found["from"]
                    yield self._made(name, found.start(), how, required=True, default=None)

    def _schemas(self) -> Iterator[Need]:
        """What envalid, zod and t3-env check the whole environment against."""
        for found in _SCHEMA.finditer(self._text):
            name = found["name"]
            checked = (
                rf"\b{name}\s*\.\s*(?:safeParse|parse)(?:Async)?\(\s*(?:\{{\s*\.\.\.)?process\.env"
            )
            if name and not re.search(checked, self._text):
                continue
            body = _balanced(self._text, found.end())
            for entry in _ENTRY.finditer(body):
                kind = body[entry.end() :].split("\n", 1)[0]
                loose = re.search(r"default|optional\(|nullish\(|devDefault", kind) is not None
                at = found.end() + entry.start(1)
                yield self._made(entry[1], at, "schema", required=not loose, default=None)


def _blank(found: re.Match[str]) -> str:
    return found["kept"] or re.sub(r"[^\n]", " ", found[0])


def _balanced(text: str, start: int) -> str:
    """`text` from `start` to where the bracket that is open there is closed."""
    depth = 1
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if not depth:
            return text[start:at]
    return text[start:]


def _state(after: str, default: re.Match[str] | None) -> State | None:
    """What the code makes of an absent key."""
    if default is not None:
        return _literal(default["literal"])
    compared = _COMPARED.match(after)
    if compared is None:
        return "off"
    # What is compared with "false" or undefined is on where it is something else.
    empty = compared["literal"] in {"undefined", "null"}
    off = empty or meaning(compared["literal"].strip("'\"`")) == "off"
    return "on" if off and not empty else "off"


def _literal(text: str | None) -> State | None:
    if text is None:
        return None
    if text in {"null", "undefined"}:
        return "off"
    return meaning(text.strip("'\"`"))
