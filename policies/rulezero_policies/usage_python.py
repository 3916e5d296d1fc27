"""What a Python file uses of tables and columns that go away, told by whose attribute it is."""

import ast
import re
from collections.abc import Iterable, Iterator

from rulezero_policies.references import Confidence, ModelClass, Reference, Target, singular, snake

_SQL = re.compile(
    r"\b(?:select\s.+\sfrom|insert\s+into|update\s.+\sset|delete\s+from|join|where|order\s+by"
    r"|group\s+by|alter\s+table|create\s+(?:unique\s+)?index)\b",
    re.IGNORECASE | re.DOTALL,
)

_ROWS = frozenset(
    {
        *("all", "first", "one", "one_or_none", "get", "get_or_404", "first_or_404", "one_or_404"),
        *("scalars", "scalar", "limit", "offset", "filter", "filter_by", "order_by", "where"),
        *("distinct", "options", "join", "outerjoin", "execution_options"),
    }
)
"""Methods of a query that still give rows of the same class."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp

_GUESSED: dict[Confidence, Confidence] = {"certain": "likely"}


class PythonUses(ast.NodeVisitor):
    """One file's uses of some targets. What another model's attribute is, is no use."""

    def __init__(
        self, path: str, targets: tuple[Target, ...], models: Iterable[ModelClass]
    ) -> None:
        """Look for `targets` in the file at `path`; `models` are all classes of the project."""
        self._path = path
        self._columns = tuple(t for t in targets if t.column is not None)
        self._tables = tuple(t for t in targets if t.column is None)
        self._attributes = {a for t in self._columns for a in t.attributes}
        known = {m.name: m for m in models}
        wanted = {m for t in targets for m in t.models}
        self._models = known
        self._names = {name: name for name in {*known, *wanted}}
        self._scopes: list[dict[str, str | None]] = [{}]
        self._classes: list[str] = []
        self._found: list[Reference] = []

    def read(self, tree: ast.Module) -> list[Reference]:
        """Everything found, in order."""
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                pairs = ((a.asname, a.name) for a in node.names if a.asname)
                self._names.update({new: old for new, old in pairs if old in self._names})
        self.visit(tree)
        return self._found

    def _note(self, target: Target, node: ast.AST, sure: Confidence, how: str) -> None:
        sure = sure if target.mapped else _GUESSED.get(sure, sure)
        self._add(target, node, sure, how)

    def _add(self, target: Target, node: ast.AST, sure: Confidence, how: str) -> None:
        line = getattr(node, "lineno", 1)
        found = Reference(
            subject=target.subject, path=self._path, line=line, confidence=sure, how=how
        )
        self._found.append(found)

    # What names stand for.

    def _bind(self, target: ast.expr, model: str | None) -> None:
        if isinstance(target, ast.Name):
            self._scopes[-1][target.id] = model

    def _lookup(self, name: str) -> str | None:
        return next((s[name] for s in reversed(self._scopes) if name in s), None)

    def _named(self, node: ast.expr) -> str | None:
        """The model that an expression names as a class."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id)
        if isinstance(node, ast.Attribute):
            return self._names.get(node.attr)
        return None

    def _model(self, node: ast.expr) -> str | None:  # noqa: PLR0911  (one line a kind)
        """The model that an expression is, or gives rows of."""
        if named := self._named(node):
            return named
        match node:
            case ast.Name():
                return self._lookup(node.id)
            case ast.Attribute(value=value, attr="query" | "objects"):
                return self._model(value)
            case ast.Subscript() | ast.Await() | ast.Starred():
                return self._model(node.value)
            case ast.BoolOp(values=[first, *_]):
                return self._model(first)
            case ast.IfExp(body=body):
                return self._model(body)
            case ast.Call():
                return self._given(node)
            case _:
                return None

    def _given(self, call: ast.Call) -> str | None:
        func = call.func
        if isinstance(func, ast.Attribute) and func.attr in _ROWS:
            mine = self._model(func.value)
            if mine is not None:
                return mine
        # `session.get(User, 1)`, `select(User)`, `session.scalars(select(User))`
        given = {self._named(a) or self._nested(a) for a in call.args} - {None}
        if self._named(func):
            return self._named(func)
        return given.pop() if len(given) == 1 else None

    def _nested(self, node: ast.expr) -> str | None:
        return self._given(node) if isinstance(node, ast.Call) else None

    def _annotated(self, annotation: ast.expr | None) -> str | None:
        nodes = ast.walk(annotation) if annotation else ()
        found = {self._word(n) for n in nodes} - {None}
        return found.pop() if len(found) == 1 else None

    def _word(self, node: ast.AST) -> str | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = re.findall(r"\w+", node.value)
            return next((self._names[w] for w in words if w in self._names), None)
        return self._named(node) if isinstance(node, ast.expr) else None

    # Statements that give names a meaning.

    def visit(self, node: ast.AST) -> None:
        """What stands in a loop knows the loop's variable."""
        if isinstance(node, _Comprehension):
            self._comprehension(node)
            return
        if isinstance(node, ast.For | ast.AsyncFor):
            self._bind(node.target, self._model(node.iter))
        super().visit(node)

    def _function(self, node: _Function) -> None:
        self._scopes.append({})
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for argument in arguments:
            self._scopes[-1][argument.arg] = self._annotated(argument.annotation)
        self.generic_visit(node)
        self._scopes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A scope of its own; annotated arguments are known."""
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """A scope of its own; annotated arguments are known."""
        self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A scope of its own."""
        self._function(node)

    def _comprehension(self, node: _Comprehension) -> None:
        self._scopes.append({})
        for generator in node.generators:
            self._bind(generator.target, self._model(generator.iter))
        self.generic_visit(node)
        self._scopes.pop()

    def visit_Assign(self, node: ast.Assign) -> None:
        """What is assigned."""
        self.generic_visit(node)
        for target in node.targets:
            self._mapped(target)
            self._bind(target, self._model(node.value))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """What is annotated."""
        self.generic_visit(node)
        self._mapped(node.target)
        self._bind(node.target, self._annotated(node.annotation))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """What is assigned on the way."""
        self.generic_visit(node)
        self._bind(node.target, self._model(node.value))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A model's body maps its columns; `self` is a row there."""
        self._classes.append(node.name)
        self.generic_visit(node)
        self._classes.pop()

    def _mapped(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name) and self._classes and len(self._scopes) == 1:
            for wanted in self._columns:
                if target.id in wanted.attributes and self._classes[-1] in wanted.models:
                    self._note(wanted, target, "certain", f"mapped by {self._classes[-1]}")

    # Uses.

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """`User.email`, `user.email`."""
        self.generic_visit(node)
        if node.attr in self._attributes:
            for target in self._columns:
                if node.attr in target.attributes:
                    self._attribute(target, node)
        self._class_use(node, node.attr)

    def visit_Name(self, node: ast.Name) -> None:
        """A class whose table goes away."""
        self._class_use(node, self._names.get(node.id, ""))

    def visit_alias(self, node: ast.alias) -> None:
        """A class that is imported."""
        self._class_use(node, node.name)

    def _class_use(self, node: ast.AST, name: str) -> None:
        for target in self._tables:
            if name in target.models:
                self._note(target, node, "certain", name)

    def _attribute(self, target: Target, node: ast.Attribute) -> None:
        how = f"{_shown(node.value)}.{node.attr}"
        model = self._model(node.value) or self._self(node.value)
        if model in target.models:
            self._note(target, node, "certain", how)
        elif model is None:
            receiver = _last(node.value)
            if self._resembles(receiver, target.nicknames):
                self._add(target, node, "likely", how)
            elif not self._anothers(receiver, node.attr, target):
                self._add(target, node, "possible", how)

    def _self(self, node: ast.expr) -> str | None:
        is_self = isinstance(node, ast.Name) and node.id in {"self", "cls"} and self._classes
        return self._names.get(self._classes[-1]) if is_self else None

    def _resembles(self, receiver: str, nicknames: frozenset[str]) -> bool:
        name = receiver.lower()
        return any(name == n or name.endswith(f"_{n}") for n in nicknames)

    def _anothers(self, receiver: str, attribute: str, target: Target) -> bool:
        """Whether the variable is called like a row of another class that has such an attribute."""
        others = (m for m in self._models.values() if m.name not in target.models)
        return any(
            attribute in dict(m.attributes)
            and self._resembles(receiver, frozenset({snake(m.name), singular(m.table), m.table}))
            for m in others
        )

    def visit_Call(self, node: ast.Call) -> None:
        """`User(email=…)`, `User.query.filter_by(email=…)`."""
        self.generic_visit(node)
        for keyword in node.keywords:
            for target in self._columns:
                if keyword.arg in target.attributes:
                    self._keyword(target, node, keyword)

    def _keyword(self, target: Target, call: ast.Call, keyword: ast.keyword) -> None:
        func = call.func
        method = isinstance(func, ast.Attribute) and func.attr in {"filter_by", "values"}
        owner = self._named(func)
        if owner is None and method and isinstance(func, ast.Attribute):
            owner = self._model(func.value)
        how = f"{_shown(func)}({keyword.arg}=…)"
        if owner in target.models:
            self._note(target, keyword, "certain", how)
        elif owner is None and method:
            self._add(target, keyword, "likely", how)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """An f-string is read as one text."""
        parts = (v.value for v in node.values if isinstance(v, ast.Constant))
        self._string(node, " ".join(p for p in parts if isinstance(p, str)))
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                self.visit(value)

    def visit_Expr(self, node: ast.Expr) -> None:
        """A text that stands alone is a docstring."""
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """SQL in a string, and names."""
        if isinstance(node.value, str):
            self._string(node, node.value)

    def _string(self, node: ast.AST, text: str) -> None:
        for target in self._columns:
            for sure, how in _column_in(text, target):
                mine = bool(self._classes) and self._classes[-1] in target.models
                self._add(target, node, "likely" if mine and sure == "possible" else sure, how)
        for target in self._tables:
            for sure, how in _table_in(text, target):
                self._add(target, node, sure, how)


def _column_in(text: str, target: Target) -> Iterator[tuple[Confidence, str]]:
    column = target.column or ""
    if text.endswith(f"{target.table}.{column}"):
        yield "certain", f"'{target.table}.{column}'"
    elif _SQL.search(text) and _word(column, text):
        yield ("certain" if _word(target.table, text) else "possible"), "SQL in a string"
    elif text in target.words:
        yield "possible", f"'{text}'"


def _table_in(text: str, target: Target) -> Iterator[tuple[Confidence, str]]:
    if re.fullmatch(rf"(?:\w+\.)?{re.escape(target.table)}\.\w+", text):
        yield "certain", f"'{text}'"
    elif _SQL.search(text) and _word(target.table, text):
        yield "certain", "SQL in a string"
    elif text == target.table:
        yield "likely", f"'{text}'"


def _word(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _last(node: ast.expr) -> str:
    """The last name of an expression: `g.user` is called user, `users[0]` users."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=inner) | ast.Subscript(value=inner) | ast.Await(value=inner):
            return _last(inner)
        case _:
            return ""


def _shown(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 40 else f"…{text[-40:]}"
