"""A web app, found as its server finds it and asked one thing, without a server."""

from __future__ import annotations

import asyncio
import inspect
import io
import os
from pathlib import Path
from typing import Any, NamedTuple

from . import bare


class Answer(NamedTuple):
    """What an app answered; `raised` is what it made a 500 of, `routed` whether a route fits."""

    status: int
    body: str
    raised: BaseException | None = None
    routed: bool | None = None
    location: str | None = None


class NoAppError(Exception):
    """No app was found."""


_MODULES = (
    "main", "app.main", "app", "asgi", "wsgi", "src.main", "api.main", "app.app", "server",
    "application",
)  # fmt: skip
_NAMES = ("app", "application", "api", "create_app", "make_app")


def app(named: str | None) -> Any:
    """The app "module:name" (or what makes it); else Flask's own choice, or one at a usual place.

    Flask looks for its settings in the folders above, too: there they may be another service's.

    Raises:
        NoAppError: There is none.
        Exception: Whatever the app raises as it is loaded.
    """
    said = named or "FLASK_APP" in os.environ or Path(".flaskenv").is_file()
    found = _flask(named) if said else None
    if found is None and named:
        return _made(bare.named(named if ":" in named else f"{named}:app"))
    found = found or _usual() or _flask(None)
    if found is None:
        raise NoAppError
    return found


def _usual() -> Any:
    for module in filter(_is_there, _MODULES):
        for name in _NAMES:
            try:
                return _made(bare.named(f"{module}:{name}"))
            except AttributeError as exc:
                if getattr(exc, "name", name) != name:
                    raise
    return None


def _flask(named: str | None) -> Any:
    try:
        from flask.cli import NoAppException, ScriptInfo  # noqa: PLC0415 - few services have it
    except ImportError:
        return None
    from .. import flaskapp  # noqa: PLC0415, TID252

    flaskapp.environment(named)
    try:
        return ScriptInfo(app_import_path=os.environ.get("FLASK_APP")).load_app()
    except NoAppException as exc:
        # Flask hides an import error of the app's own module in the words of its own.
        if isinstance(exc.__context__, ImportError) and "While importing" in str(exc):
            raise exc.__context__ from None
        return None


def _is_there(module: str) -> bool:
    path = Path(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _made(found: Any) -> Any:
    """An app, or what a factory makes: a function that can be called with nothing."""
    if inspect.isfunction(found):
        try:
            inspect.signature(found).bind()
        except TypeError:
            return found
        return found()
    return found


def ask(target: Any, method: str, path: str) -> Answer:
    """Ask an app; a redirect is an answer like any other."""
    if hasattr(target, "test_client"):
        return _ask_flask(target, method, path)
    call = target if inspect.isfunction(target) else type(target).__call__
    if inspect.iscoroutinefunction(call) or hasattr(target, "router"):
        return asyncio.run(_ask_asgi(target, method, path))
    return _ask_wsgi(target, method, path)


def _ask_flask(target: Any, method: str, path: str) -> Answer:
    raised: list[BaseException] = []

    def log_exception(info: Any) -> None:
        raised.append(info[1])

    target.log_exception = log_exception
    said = target.test_client().open(path, method=method)
    routed = None if said.status_code != 404 else _has_route(target, method, path)
    return Answer(
        said.status_code,
        said.get_data(as_text=True),
        raised[0] if raised else None,
        routed,
        said.headers.get("Location"),
    )


def _has_route(target: Any, method: str, path: str) -> bool | None:
    from werkzeug.exceptions import MethodNotAllowed, NotFound  # noqa: PLC0415
    from werkzeug.routing import RequestRedirect  # noqa: PLC0415

    try:
        target.url_map.bind("localhost").match(path.partition("?")[0], method=method)
    except NotFound:
        return False
    except (RequestRedirect, MethodNotAllowed):
        return True
    except Exception:  # noqa: BLE001 - a map that needs more than that is not asked
        return None
    return True


def _ask_wsgi(target: Any, method: str, path: str) -> Answer:
    from wsgiref.util import setup_testing_defaults  # noqa: PLC0415

    place, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": place,
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(),
    }
    setup_testing_defaults(environ)
    began: list[Any] = []
    sent: list[bytes] = []

    def start(status: str, headers: Any, _info: Any = None) -> Any:
        began[:] = [int(status.split(maxsplit=1)[0]), dict(headers)]
        return sent.append

    given = target(environ, start)
    body = b"".join([*sent, *given])
    if hasattr(given, "close"):
        given.close()
    return Answer(began[0], body.decode("utf-8", "replace"), location=began[1].get("Location"))


async def _ask_asgi(target: Any, method: str, path: str) -> Answer:
    """Start the app as a server does, ask it, and let it end."""
    state: dict[str, Any] = {}
    life = _Life(target, state)
    await life.start()
    try:
        answer = await _one_request(target, method, path, state)
    finally:
        await life.end()
    if answer.status == 404:
        return answer._replace(routed=_matches(target, method, path))
    return answer


class _Life:
    """An app's start and end, which it may not care for."""

    def __init__(self, target: Any, state: dict[str, Any]) -> None:
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._said: asyncio.Queue[str] = asyncio.Queue()
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}
        self._task = asyncio.ensure_future(
            target({**scope, "state": state}, self._heard.get, self._say)
        )

    async def _say(self, message: dict[str, Any]) -> None:
        await self._said.put(str(message["type"]))

    async def _told(self) -> str | None:
        said = asyncio.ensure_future(self._said.get())
        await asyncio.wait({said, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if said.done():
            return said.result()
        said.cancel()
        return None

    async def start(self) -> None:
        await self._heard.put({"type": "lifespan.startup"})
        said = await self._told()
        if said == "lifespan.startup.failed":
            await self._task
            raise RuntimeError(said)

    async def end(self) -> None:
        await self._heard.put({"type": "lifespan.shutdown"})
        await self._told()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def _one_request(target: Any, method: str, path: str, state: dict[str, Any]) -> Answer:
    place, _, query = path.partition("?")
    sent: list[dict[str, Any]] = []
    asked = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        return asked.pop() if asked else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": place, "raw_path": place.encode(), "query_string": query.encode(),
        "root_path": "", "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1),
        "server": ("localhost", 80), "state": dict(state),
    }  # fmt: skip
    raised: BaseException | None = None
    try:
        await target(scope, receive, send)
    except Exception as exc:
        if not sent:
            raise
        raised = exc
    start = next(m for m in sent if m["type"] == "http.response.start")
    body = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    headers = {bytes(k).lower(): bytes(v) for k, v in start.get("headers", ())}
    place_ = headers.get(b"location")
    said = None if place_ is None else place_.decode("latin-1")
    return Answer(start["status"], body.decode("utf-8", "replace"), raised, None, said)


def _matches(target: Any, method: str, path: str) -> bool | None:
    scope: dict[str, Any] = {"type": "http", "path": path.partition("?")[0], "method": method}
    try:
        found = [
            route.matches({**scope, "headers": [], "root_path": ""})[0].value
            for route in target.routes
        ]
    except Exception:  # noqa: BLE001 - another framework keeps its routes elsewhere
        return None
    return any(found)
