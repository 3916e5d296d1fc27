"""YAML as nodes with their lines: nothing is built, so that no tag and no anchor costs anything."""

from collections.abc import Iterator

import yaml

MOST_BYTES = 400_000
"""Of one file: the parser that is safe against deep nesting takes seconds for more."""

MOST_NODES = 50_000
"""Looked at in one file: an anchor that is used many times is counted every time."""

_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"
_DEEPEST = 60


class NoYaml(Exception):
    """A text is no YAML that can be read; says the line, and nothing of the text."""


class Nodes:
    """The nodes of one file, counted while they are looked at."""

    def __init__(self, text: str) -> None:
        """Read the text's first document.

        Raises:
            NoYaml: It is none.
        """
        self._seen = 0
        self.root = _composed(text)

    def items(self, node: yaml.Node | None, depth: int = 0) -> dict[str, yaml.Node]:
        """A mapping's values by their keys, those that are merged in (`<<`) too.

        Raises:
            NoYaml: There are too many.
        """
        if not isinstance(node, yaml.MappingNode) or depth > _DEEPEST:
            return {}
        merged: dict[str, yaml.Node] = {}
        own: dict[str, yaml.Node] = {}
        for key, value in node.value:
            self._count()
            if key.tag == _MERGE:
                for one in self._merged(value):
                    merged = {**self.items(one, depth + 1), **merged}
            elif isinstance(key, yaml.ScalarNode):
                own[key.value] = value
        return {**merged, **own}

    def _merged(self, node: yaml.Node) -> list[yaml.Node]:
        return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]

    def each(self, node: yaml.Node | None) -> list[yaml.Node]:
        """A sequence's values; a single value as the only one.

        Raises:
            NoYaml: There are too many.
        """
        if node is None or (isinstance(node, yaml.ScalarNode) and text(node) is None):
            return []
        found: list[yaml.Node] = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for _ in found:
            self._count()
        return found

    def scalars(self, node: yaml.Node, depth: int = 0) -> Iterator[yaml.ScalarNode]:
        """Every plain value below a node.

        Raises:
            NoYaml: There are too many.
        """
        self._count()
        if isinstance(node, yaml.ScalarNode):
            yield node
        elif depth < _DEEPEST:
            inner = node.value if isinstance(node, yaml.SequenceNode) else self.items(node).values()
            for one in inner:
                yield from self.scalars(one, depth + 1)

    def _count(self) -> None:
        self._seen += 1
        if self._seen > MOST_NODES:
            raise NoYaml(f"comes to more than {MOST_NODES} values once its anchors are followed")


def _composed(text: str) -> yaml.Node | None:
    try:
        return yaml.SafeLoader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        # Its own words repeat the line, which may hold a secret.
        line = error.problem_mark.line + 1 if error.problem_mark else "unknown"
        raise NoYaml(f"is no YAML (line {line}): mend that line") from None
    except (yaml.YAMLError, ValueError):
        raise NoYaml("is no YAML: mend it") from None
    except RecursionError:
        raise NoYaml("is nested too deeply: name the file that is meant") from None


def line(node: yaml.Node) -> int:
    """The line on which a node starts."""
    return node.start_mark.line + 1


def text(node: yaml.Node | None) -> str | None:
    """A scalar as it is written; None where there is none, or null."""
    if not isinstance(node, yaml.ScalarNode) or node.tag == _NULL:
        return None
    return node.value
