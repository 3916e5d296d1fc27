"""Which keys code reads, and whether it can do without them."""

# ruff: noqa: E501  (programs, one a line)

import textwrap

import pytest

from rulezero_policies.parity.needs import Reading, merged, read
from rulezero_policies.parity.values import Need
from rulezero_policies.references import SourceFile, Sources


def of(files: dict[str, str]) -> Reading:
    given = (SourceFile(path=p, text=textwrap.dedent(t).lstrip("\n")) for p, t in files.items())
    return read("api", Sources(files=tuple(given)))


def needs(text: str, path: str = "app/config.py") -> dict[str, Need]:
    return {n.key: n for n in of({path: text}).needs}


def asked(text: str, path: str = "app/config.py") -> dict[str, str]:
    """Every key: `!` where the code fails without it, else what its absence means to a flag."""
    return {k: "!" if n.required else str(n.default) for k, n in needs(text, path).items()}


@pytest.mark.proves("B02")
@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.environ['X']",
        "import os as system\nsystem.environ['X']",
        "from os import environ\nenviron['X']",
        "from os import environ as e\ne['X']",
        "from os import getenv\nint(getenv('X'))",
        "import os\nenv = os.environ\nenv['X']",
        "import os\nos.environ.pop('X')",
        "import os\nK = 'X'\nos.environ[K]",
        "import os\nclass K:\n    x = 'X'\nos.environ[K.x]",
        "import os\nfor k in ('X',):\n    os.environ[k]",
        "import os\nKEYS = ['X']\nfor k in KEYS:\n    os.environ[k]",
        "import os\n[os.environ[k] for k in {'X'}]",
        "import os\nos.environ.get('X').split(',')",
        "import os\nos.environ.get('X')[0]",
        "import os\n'postgresql://' + os.getenv('X')",
        "import os\nassert os.getenv('X')",
        "import os\nif not os.getenv('X'):\n    raise SystemExit",
        "import os, sys\nif os.getenv('X') is None:\n    sys.exit('no X')",
        "import os\nx = os.environ.get('X')\nif x is None:\n    raise ValueError",
        "import os\nx: str = os.environ.get('X', None)\ny = 1\nif not x or x == '':\n    raise ValueError",
        "import os\nx = os.getenv('X')\nassert x",
        "import os\nx = os.getenv('X')\nassert x is not None",
        "import os\nif not (x := os.getenv('X')):\n    raise ValueError",
        "import os\ntry:\n    os.environ['X']\nexcept KeyError:\n    raise SystemExit",
        "import os\ntry:\n    os.environ['X']\nexcept ValueError:\n    pass",
        "import os\ntry:\n    pass\nexcept KeyError:\n    os.environ['X']",
        "import os\ntry:\n    def f(): return os.environ['X']\nexcept KeyError:\n    pass",
        "import os\ndef f():\n    if os.getenv('Y'):\n        return\n    os.environ['X']",
        "import os\ndef f():\n    if 'X' not in os.environ:\n        raise E\n    os.environ['X']",
        "import decouple\ndecouple.config('X', cast=int)",
        "from decouple import config as c\nc(option='X')",
        "from environs import Env\nenv = Env()\nenv.int('X')",
        "from environs import env\nenv('X')",
        "import environ\nenv = environ.Env()\nenv.bool('X')",
        "import environ\nenviron.Env()('X', int)",
        "from starlette.config import Config\nc = Config('.env')\nc('X', cast=bool)",
        "import dotenv\ndotenv.dotenv_values()['X']",
        "from dotenv import dotenv_values\nsaid = dotenv_values('.env')\nsaid['X']",
        "app.config.from_envvar('X')",
        "import os\nasync def f():\n    a, b = 1, await os.environ['X']",
    ],
)
def test_a_key_without_which_the_code_fails_is_required(code: str) -> None:
    found = asked(code)
    assert found["X"] == "!"


@pytest.mark.proves("B02")
@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import os\nos.environ.get('X')", "off"),
        ("import os\nos.getenv('X', 'yes')", "on"),
        ("import os\nos.getenv(key='X', default='0')", "off"),
        ("import os\nos.getenv('X', -1)", "other"),
        ("import os\nos.getenv('X', make())", "None"),
        ("import os\nos.getenv('X') == '1'", "off"),
        ("import os\nos.getenv('X') != '0'", "on"),
        ("import os\nos.getenv('X', 'True').lower() in ('1', 'true')", "on"),
        ("import os\nos.getenv('X', 'no') in 'yes'", "off"),
        ("import os\nos.getenv('X') is not None", "off"),
        ("import os\nos.getenv('X') == other", "None"),
        ("import os\nos.getenv('X', 3) < 4", "None"),
        ("import os\nbool(os.getenv('X', 'false'))", "on"),
        ("import os\nbool(int(os.getenv('X', '0')))", "off"),
        ("import os\nint(os.getenv('X', 'many'))", "None"),
        ("import os\nparse_bool(os.getenv('X', 'off'))", "off"),
        ("import os\nprint(os.getenv('X', 'off'))", "off"),
        ("import os\nstr(1, os.getenv('X', 'off'))", "off"),
        ("import os\nos.getenv('X') or 'on'", "on"),
        ("import os\nos.getenv('X', 'a').title", "other"),
        ("import os\n'X' in os.environ", "off"),
        ("import os\n'X' not in os.environ", "off"),
        ("import os\nos.getenv('X') == '0'", "on"),
        ("import os\nos.getenv('X') != '1'", "off"),
        ("import os\nos.getenv('X') is None", "off"),
        ("import os\nif 'X' in os.environ:\n    os.environ['X']", "None"),
        ("import os\nx = os.environ['X'] if os.getenv('X') else 1", "None"),
        ("import os\nK = 'X'\nif K in os.environ:\n    os.environ[K]", "None"),
        ("import os\nos.getenv('X') and os.environ['X']", "None"),
        (
            "import os\ndef f():\n    if not os.getenv('X'):\n        return\n    os.environ['X']",
            "None",
        ),
        ("import os\ntry:\n    os.environ['X']\nexcept (KeyError, ValueError):\n    x = 1", "None"),
        ("import os\ntry:\n    os.environ['X']\nexcept:\n    print('no X')", "None"),
        ("import os\nos.environ.setdefault('X', '1')\nos.environ['X']", "None"),
        ("import os\nx = os.getenv('X')\nif not x:\n    x = 2", "off"),
        ("import os\nif not os.getenv('X'):\n    print(1)", "off"),
        ("import os\nif os.getenv('X') is None: print(1)", "off"),
        ("import os\nwhile not os.getenv('X'):\n    raise ValueError", "off"),
        ("import os\nx = os.getenv('X')\nif y:\n    raise ValueError\nassert y", "off"),
        ("import os\ny = [x := os.getenv('X')]", "off"),
        ("import os\nf = lambda: (x := os.getenv('X'))", "off"),
        ("from decouple import config\nconfig('X', default=False, cast=bool)", "off"),
        ("import environs\ne = environs.Env()\ne.bool('X', True)", "on"),
        ("import environ\nenv = environ.Env(X=(bool, True))\nenv('X')", "on"),
        ("import environ\nenv = environ.Env(X=(bool, True), Y=1)\nenv('X', default=False)", "off"),
        ("from starlette.config import Config\nConfig()('X', default='on')", "on"),
        ("import click\n@click.option('--x', envvar='X')\ndef f(): ...", "None"),
        ("import typer\nx = typer.Option(1, envvar=['X', 'Y'])", "None"),
        ("app.config.from_envvar('X', silent=True)", "off"),
    ],
)
def test_a_key_that_the_code_can_do_without_says_what_its_absence_means(
    code: str, absent: str
) -> None:
    assert asked(code)["X"] == absent


@pytest.mark.proves("B02")
@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.environ['X'] = '1'",
        "import os\ndel os.environ['X']",
        "environ = {}\nenviron['X']",
        "def f(environ):\n    return environ['X']",
        "config('X')",
        "import os\nos.path.join('X')",
        "def get(name): return name\nget('X')",
        "# os.environ['X']",
        "'''os.environ['X']'''",
        "app.config['X']",
        "x = x\nx['X']",
        "import a.b\na.b.get('X')",
        "from .a import c\nc('X')",
        "(1)('X'); (lambda: 1)()('X')",
    ],
)
def test_what_is_no_key_of_the_environment_is_none(code: str) -> None:
    assert of({"app/config.py": code}) == Reading()


@pytest.mark.parametrize("path", ["tests/a.py", "app/test_a.py", "conftest.py", "web/a.test.ts"])
def test_what_only_tests_need_is_no_need(path: str) -> None:
    assert not of({path: "import os\nos.environ['X'], process.env.X!.y"}).needs


@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("import os\ndef f(name): return os.environ[f'APP_{name}']", "APP_*"),
        ("import os\nos.environ['APP_%s' % name]", "APP_*"),
        ("import os\nos.environ['APP_' + name.upper()]", "APP_*"),
        ("import os\nos.environ[name]", "*"),
        ("import os\nfor k in keys:\n    os.environ[k]", "*"),
        ("import os\nfor k in os.environ:\n    k.startswith('APP_')", "APP_*"),
        ("import os\n{k: v for k, v in os.environ.items() if k.startswith('APP_')}", "APP_*"),
        ("import os\nfor k in y:\n    [k for k in os.environ if k.startswith(p)]", "*"),
        (
            "import os\nclass E:\n    def before(self, option):\n        return os.getenv(option)",
            "*",
        ),
    ],
)
def test_a_key_that_is_known_in_part_is_a_pattern(code: str, key: str) -> None:
    found = of({"a.py": code})
    assert ([n.key for n in found.patterns], found.needs) == ([key], ())


def test_a_part_that_is_known_is_put_in() -> None:
    code = "import os\nP = 'APP_'\nos.environ[f'{P}{\"A\" if x else \"B\"}']"
    assert set(needs(code)) == {"APP_A", "APP_B"}


def test_names_and_readers_of_other_files_are_followed() -> None:
    found = of(
        {
            "app/keys.py": "X = 'X'\nfrom .more import Y",
            "app/more.py": "Y = 'Y'\nfrom .keys import Z\n",
            "app/reader.py": "import environs\nenv = environs.Env()\nimport os\nE = os.environ",
            "app/__init__.py": "from .reader import env",
            "app/main.py": """
                from app import env
                from app.reader import E
                from app import keys
                from .keys import X, Y
                from .keys import Z
                env.str(X)
                E[Y]
                E[keys.X + '_2']
                E[Z]
            """,
        }
    )
    assert [n.key for n in found.needs] == ["X", "Y", "X_2"]
    assert [n.key for n in found.patterns] == ["*"]


@pytest.mark.proves("B02")
def test_a_helper_is_followed_to_where_it_is_called() -> None:
    found = asked(
        """
        import os
        def env(name, default=None): return os.environ.get(name, default)
        def must(name): return os.environ[name]
        def maybe(name):
            try:
                return os.environ[name]
            except KeyError:
                return None
        def asks(name):
            if name in os.environ:
                return os.environ[name]
        class Reader:
            def get(self, key, fallback='1'): return os.environ[key]
            @staticmethod
            def has(key): return key in os.environ
            def all(self): return self.get('IN_CLASS'), self.no('A'), Reader.has('HAS')
        env('A'); env('B', 'on'); env(default='off', name='C'); env()
        must('D'); maybe('E'); asks('F'); Reader().get('G')
        self.get('H')
        """
    )
    assert found == {
        "A": "off",
        "B": "on",
        "C": "off",
        "D": "!",
        "E": "off",
        "F": "off",
        "G": "on",
        "IN_CLASS": "on",
        "HAS": "off",
    }


def test_keys_that_are_asked_in_turn_stand_for_each_other() -> None:
    found = needs("import os\nx = os.getenv('A') or os.environ['B'] or y")
    assert (found["A"].instead, found["B"].instead) == (("B",), ("A",))


def test_a_need_says_where_and_how() -> None:
    found = needs("import os\nclass C:\n    def f(self):\n        return os.environ['X']")["X"]
    assert (found.path, found.line, found.scope, found.how) == (
        *("app/config.py", 4, "C.f"),
        "os.environ[]",
    )


@pytest.mark.proves("B02")
def test_environs_and_django_environ_put_their_names_together() -> None:
    code = """
    import environ, environs
    env = environs.Env(prefix='APP_')
    with env.prefixed('DB_'), open('x'):
        env.str('HOST')
        with env.prefixed('RO_'):
            env.str('PORT', 1)
    class S:
        env = environ.Env()
        def f(self):
            return self.env('A')
    django = environ.Env()
    django.db(); django.cache_url(default='x'); django.db('MY_URL'); django.str()
    environs.Env().str('B')
    S.env.str('C')
    """
    found = asked(code)
    assert set(found) == {
        *("APP_DB_HOST", "APP_DB_RO_PORT", "DATABASE_URL", "CACHE_URL", "MY_URL", "B", "C"),
    }


def test_starlettes_prefix_is_part_of_the_key() -> None:
    code = "from starlette.config import Config\nc = Config(env_prefix='A_')\nc.get('X')\n(c)('Y')"
    assert asked(code) == {"A_X": "!", "A_Y": "!"}


@pytest.mark.proves("B02")
def test_python_that_cannot_be_parsed_is_read_by_its_look_and_named() -> None:
    code = "os.environ['X'] ?\nos.environ['S'] = 1\nos.getenv('Y')\nenviron.get('Z', '')"
    found = of({"a.py": code})
    assert [(n.key, n.line, n.required) for n in found.needs] == [
        ("X", 1, True),
        ("Y", 3, False),
        ("Z", 4, False),
    ]
    assert found.unread == ("a.py",)


def test_more_code_than_is_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rulezero_policies.parity.program.PARSED", 30)
    found = of({"a.py": "import os\nos.environ['X']", "b.py": "x = 1" * 9})
    assert found.unread == ("b.py",)


def test_code_that_goes_in_a_circle_ends() -> None:
    rounds = "".join(f"x = x.f{n}(x)\ns = s + s\n" for n in range(40))
    files = {
        "a.py": f"import os\nfrom b import y\n{rounds}os.environ[s]\nx.get('X'); y.get('X')",
        "b.py": "from a import y\nfrom a import z",
    }
    assert [n.key for n in of(files).patterns] == ["*"]


def test_several_services_are_merged() -> None:
    one = of({"a.py": "import os\nos.environ['X']"})
    assert [n.key for n in merged([one, one]).needs] == ["X", "X"]


# Settings classes.


@pytest.mark.proves("B02")
def test_fields_of_settings_are_keys() -> None:
    code = """
    from typing import Annotated, ClassVar
    from pydantic import AliasChoices, BaseModel, Field
    from pydantic_settings import BaseSettings, SettingsConfigDict
    class Db(BaseModel):
        host: str
        port: int = 5432
    class Base(BaseSettings):
        model_config = SettingsConfigDict(env_prefix='APP_', env_nested_delimiter='__')
        shared: str
    class Settings(Base):
        "What is set."
        a: str
        b: bool = False
        c: str = Field(alias='C_ALIAS')
        d: str = Field(default='x', validation_alias=AliasChoices('D1', 'D2'))
        e: Annotated[str, Field(validation_alias='E1')]
        f: int = Field(..., gt=1)
        g: list[str] = Field(default_factory=list)
        h: str | None
        i: int = 60 * 60
        j: object = ()
        db: Db
        other: Db = Db(host='x')
        _private: str
        KIND: ClassVar[str]
        def method(self): ...
    Settings(a='given')
    """
    found = needs(code)
    assert asked(code) == {
        "APP_SHARED": "!",
        "APP_A": "None",
        "APP_B": "off",
        "C_ALIAS": "!",
        "D1": "other",
        "E1": "!",
        "APP_F": "!",
        "APP_G": "None",
        "APP_H": "!",
        "APP_I": "None",
        "APP_J": "other",
        "APP_DB": "None",
        "APP_DB__HOST": "!",
        "APP_DB__PORT": "other",
        "APP_OTHER": "None",
        "APP_OTHER__HOST": "None",
        "APP_OTHER__PORT": "other",
    }
    assert (found["D1"].instead, found["APP_DB__HOST"].instead) == (("D2",), ("APP_DB",))
    assert found["APP_A"].any_case
    assert found["APP_SHARED"].how == "pydantic-settings"


def test_settings_of_pydantic_1_and_ways_to_configure_them() -> None:
    code = """
    from typing import Optional
    import pydantic
    class Old(pydantic.BaseSettings):
        a: Optional[str]
        b: str = pydantic.Field(..., env=['B1', 'B2'])
        c: str
        class Config:
            "old"
            env_prefix = 'OLD_'
            case_sensitive = True
    class Plain:
        x: str
    class Held(pydantic.BaseSettings, env_prefix='H_'):
        old: Old
        model_config: dict = {'case_sensitive': False, **more}
    class Odd(Held):
        model_config = made()
        y: str
    Held(); Odd(); Plain()
    """
    found = needs(code)
    assert asked(code.replace("made()", "{**more}")) == asked(code)
    assert asked(code) == {"OLD_a": "None", "B1": "!", "OLD_c": "!", "H_OLD": "!", "H_Y": "!"}
    assert not found["OLD_c"].any_case


# Flask's configuration.


@pytest.mark.proves("B02")
def test_flasks_configuration_is_a_need_where_the_environment_fills_it() -> None:
    code = """
    app.config.from_prefixed_env()
    app.config['SET'] = 1
    app.config.from_mapping(MAPPED=1, **more)
    app.config.setdefault('DEFAULTED', 1)
    others['X'] = 1
    class Config:
        IN_CLASS = 1
    app.config['A'], app.config['SET'], app.config['MAPPED'], app.config['DEFAULTED']
    app.config['IN_CLASS'], app.config['SECRET_KEY']
    current_app.config.get('B', True), create_app().config['C'], self.config['D']
    model.config['NOT'], others['NOT'], app.config.get(name), app.config.get(), others.get('NOT')
    """
    found = asked(code)
    assert {k: v for k, v in found.items() if v == "!"} == {
        "FLASK_A": "!",
        "FLASK_C": "!",
        "FLASK_D": "!",
    }
    assert found["FLASK_B"] == "on"
    assert "FLASK_NOT" not in found
    assert not asked(code.replace("app.config.from_prefixed_env()", ""))


@pytest.mark.parametrize("call", ["('MY')", "(prefix='MY')"])
def test_flasks_prefix_is_read(call: str) -> None:
    assert asked(f"app.config.from_prefixed_env{call}\napp.config['A']") == {"MY_A": "!"}


# Scripts.


@pytest.mark.proves("B02")
@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("process.env.X", {"X": "off"}),
        ("process.env['X'] ?? 'true'", {"X": "on"}),
        ('process.env["X"] || fallback()', {"X": "None"}),
        ("process.env?.X ?? null", {"X": "off"}),
        ("process.env.X!", {"X": "!"}),
        ("process.env.X.split(',')", {"X": "!"}),
        ("process.env.X?.split(',')", {"X": "off"}),
        ("if (!process.env.X) { throw new Error() }", {"X": "!"}),
        ("if (!process.env.X) return", {"X": "off"}),
        ("if (process.env.X) {}", {"X": "off"}),
        ("process.env.X ? 1 : 2", {"X": "off"}),
        ("process.env.X === 'true'", {"X": "off"}),
        ("process.env.X !== 'false'", {"X": "on"}),
        ("process.env.X !== undefined", {"X": "off"}),
        ("import.meta.env.VITE_X", {"VITE_X": "off"}),
        ("import.meta.env.MODE", {}),
        ("Deno.env.get('X') ?? '0'", {"X": "off"}),
        (
            "const { A, B = 'on', C: c, D = f(), ...rest } = process.env",
            {"A": "off", "B": "on", "C": "off", "D": "None"},
        ),
        ("const env = process.env;\nenv.X; my.env.Y", {"X": "off"}),
        ("import { env } from 'node:process'\nenv.X", {"X": "off"}),
        ("import { cwd } from 'process'\nenv.X", {}),
        ("import { X, Y as y } from '$env/static/private'", {"X": "!", "Y": "!"}),
        ("process.env.X = '1'", {}),
        ("process.env.X == '1'", {"X": "off"}),
        ("// process.env.X\n/* process.env.Y */ 'http://a'; process.env.Z", {"Z": "off"}),
        (
            "const e = cleanEnv(process.env, {\n  X: str(),\n  Y: bool({ default: true }),\n})",
            {"X": "!", "Y": "None"},
        ),
        (
            "const s = z.object({\n X: z.string(),\n Y: z.string().optional(),\n})\ns.parse(process.env)",
            {"X": "!", "Y": "None"},
        ),
        ("const s = z.object({\n X: z.string(),\n})\ns.parse(body)", {}),
        ("createEnv({\n X: z.string(", {"X": "!"}),
    ],
)
def test_scripts_read_keys(code: str, found: dict[str, str]) -> None:
    assert asked(code, "web/src/env.ts") == found


@pytest.mark.proves("B15")
def test_nothing_of_a_default_is_kept_but_what_it_means() -> None:
    canary = "canary-5f1d"
    files = {
        "a.py": f"import os\nos.getenv('A', '{canary}')\nos.environ.get('B') or '{canary}'",
        "b.ts": f"process.env.C ?? '{canary}'\nprocess.env.D === '{canary}'",
        "c.py": f"from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    e: str = '{canary}'",
    }
    found = of(files)
    assert len(found.needs) == 5
    assert canary not in repr(found)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        # What environs and django-environ are told in other ways.
        ("import environ\nenv = environ.Env(Y=(bool, True), X=1)\nenv('X')", {"X": "!"}),
        ("import os\nfor a, b in pairs:\n    os.environ.get('X')", {"X": "off"}),
        ("import os\n(os.environ)['X']", {"X": "!"}),
        ("import os\nwith open(os.environ['X']) as f: f['Y']", {"X": "!"}),
        (
            "import os\nif x:\n    y = os.getenv('X')\nelse:\n    y = os.getenv('Z')\nif not y: raise E",
            {"X": "off", "Z": "off"},
        ),
        ("import os\nKEYS = ('X',)\nAGAIN = KEYS\nfor k in AGAIN:\n    os.environ[k]", {}),
        ("import os\nfor k in os.environ:\n    print(k)\nname.startswith('A')", {}),
        ("import os\nget = os.environ.get\nget()\nget(**more)", {}),
        ("from decouple import config\nconfig(cast=int)", {}),
        (
            "from pydantic import BaseModel\nfrom pydantic_settings import BaseSettings, SettingsConfigDict as C\nclass P: ...\nclass S(BaseSettings):\n    model_config = C(env_nested_delimiter='_')\n    p: P",
            {"P": "!"},
        ),
        (
            "import os\nclass A:\n    x = 'X'\n    def f(self):\n        x\n        return os.environ[A.x]",
            {"X": "!"},
        ),
        (
            "import os\nx = 'X'\nclass A:\n    x = 'Y'\n    def f(self): return os.environ[x]",
            {"X": "!"},
        ),
        (
            "import os\n"
            "a0 = os.environ\n" + "".join(f"a{n + 1} = a{n}\n" for n in range(12)) + "a12['X']",
            {},
        ),
        (
            "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    model_config = COMMON\n    x: int",
            {"X": "!"},
        ),
        ("import os\nimport a.b as c\nos.environ[c.x]", {}),
    ],
)
def test_corners_of_reading(code: str, found: dict[str, str]) -> None:
    assert asked(code) == found


def test_what_next_puts_into_the_built_code_is_no_key() -> None:
    config = "const basePath = process.env.BASE_PATH\nexport default { env: { basePath, API: process.env.API }, x: { env: 1 } }"
    found = of(
        {
            "web/next.config.ts": config,
            "web/a.ts": "process.env.basePath; process.env.API; process.env.B",
        }
    )
    assert [(n.key, n.path) for n in found.needs] == [
        ("B", "web/a.ts"),
        ("BASE_PATH", "web/next.config.ts"),
        ("API", "web/next.config.ts"),
    ]
