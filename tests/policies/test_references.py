"""What still uses a table or column that goes away, told by whose attribute it is."""

import textwrap
from collections.abc import Callable
from dataclasses import replace

import pytest

from rulezero_policies.findings import Finding
from rulezero_policies.operations import Change, Column, Operation
from rulezero_policies.references import (
    SHOWN,
    ModelClass,
    References,
    SourceFile,
    Sources,
    guessed,
    singular,
    targets,
    told,
)
from rulezero_policies.usage import PARSED, find
from rulezero_policies.words import used_lines

USER = ModelClass(name="User", table="users", attributes=(("id", "id"), ("name", "name")))
COMPANY = ModelClass(name="Company", table="companies", attributes=(("email", "email"),))
MODELS = (USER, COMPANY)

DROP = Operation(kind="drop_column", table="users", column=Column(name="email", type="TEXT"))
DROP_TABLE = Operation(kind="drop_table", table="users")

Look = Callable[..., dict[str, str]]


def look(
    text: str,
    *,
    path: str = "app/views.py",
    operations: tuple[Operation, ...] = (DROP,),
    models: tuple[ModelClass, ...] = MODELS,
) -> dict[int, str]:
    """The confidence of every line of a file that was found."""
    file = SourceFile(path=path, text=textwrap.dedent(text).lstrip())
    found = find(targets(operations, models), Sources(files=(file,)), models)
    return {r.line: r.confidence for r in found.found}


@pytest.mark.proves("A10")
@pytest.mark.parametrize(
    "code",
    [
        "from m import User; User.email",
        "import m\nm.User.email",
        "from m import User as Person\nPerson.email",
        "def f(u: User): return u.email",
        "def f(u: 'User | None'): return u.email",
        "async def f(*, u: Optional[User]): return u.email",
        "u: User = make()\nu.email",
        "u = User()\nu.email",
        "u = User.query.filter_by(id=1).first()\nu.email",
        "u = User.query.get_or_404(1)\nu.email",
        "u = session.get(User, 1)\nu.email",
        "u = session.scalars(select(User)).one()\nu.email",
        "u = session.query(User).filter(1).first()\nu.email",
        "u = await session.get(User, 1)\nu.email",
        "u = (session.get(User, 1) or None)\nu.email",
        "u = session.get(User, 1) if x else None\nu.email",
        "if (u := session.get(User, 1)): pass\nu.email",
        "us = User.query.all()\nu = us[0]\nu.email",
        "for u in User.query:\n    u.email",
        "a = [u.email for u in User.query]",
        "a = {u.id: u.email for u in select(User)}",
        "a = lambda u: u.email\nx = User.email",
        "x = User(email='a')",
        "x = User.query.filter_by(email='a')",
        "x = update(User).values(email='a')",
        "class User(Base):\n    email = Column(Text)",
        "class User(Base):\n    email: Mapped[str]",
        "class User(Base):\n    def f(self): return self.email",
        "x = text('SELECT email FROM users')",
        "x = f'UPDATE users SET email = {y.z}'",
        "x = ForeignKey('users.email')",
    ],
)
def test_what_is_of_the_model_is_certain(code: str) -> None:
    assert "certain" in look(code).values()


@pytest.mark.proves("A10")
@pytest.mark.parametrize(
    "code",
    [
        "User\ncurrent_user.email",
        "User\ndef f(user): return user.email",
        "User\nself.user.email",
        "User\nusers[0].email",
        "User\nget_user().email",
        "def f(): return current_user.email",
        "User\nfilter_by(email=1).x.filter_by(email=2)",
        "class User(Base):\n    searchable = ['email']",
    ],
)
def test_what_is_called_like_the_model_is_likely(code: str) -> None:
    assert set(look(code).values()) == {"likely"}


@pytest.mark.parametrize(
    "code",
    [
        "User\nform.email.data",
        "form.email.data",
        "User\nx = 'email'",
        "User\n(a + b).email",
        "User\nx = text('SELECT email FROM people')",
    ],
)
def test_a_word_that_is_the_same_is_only_possible(code: str) -> None:
    assert set(look(code).values()) == {"possible"}


@pytest.mark.proves("A10")
@pytest.mark.parametrize(
    "code",
    [
        "User\ncompany.email",
        "User\nc = Company()\nc.email",
        "User\ndef f(c: Company): return c.email",
        "User\n# user.email",
        "User\na, b = c  # email",
        "x = (a + b).email",
        "# user.email",
        'User\ndef f():\n    """SELECT email FROM users"""',
        "User\nsend(email=1)",
        "User\nCompany.query.filter_by(email=1)",
        "User\nuser.emails",
        "x = 'SELECT 1'",
        "class User(Base):\n    emails = 1",
        "class Form(Base):\n    email = StringField()",
        "User\nf'{x}'",
        "users\n'''a text that says email'''",
    ],
)
def test_what_belongs_to_something_else_is_no_use(code: str) -> None:
    assert look(code) == {}


def test_a_class_that_is_not_known_to_map_the_table_is_only_likely() -> None:
    assert look("User.email\n", models=(COMPANY,)) == {1: "likely"}


def test_an_attribute_that_is_called_otherwise_is_what_counts() -> None:
    mail = ModelClass(name="User", table="users", attributes=(("address", "email"),))
    assert look("User.address\nUser.email\n", models=(mail,)) == {1: "certain"}


def test_an_attribute_that_maps_another_column_by_now_still_works() -> None:
    moved = ModelClass(name="User", table="users", attributes=(("email", "mail"),))
    code = "User.email\nx = 'SELECT email FROM users'\n"
    assert look(code, models=(moved,)) == {2: "certain"}
    assert look("user.email", models=(moved,)) == {}
    assert look("{{ user.email }}", models=(moved,), path="a.html") == {}


def test_templates_count_what_stands_in_their_blocks() -> None:
    page = """
        <p class="email">email</p>
        {{ user.email }}
        {% if g.user.email %}
        {% for one in users %}{{ one.email }}{% endfor %}
        {{ form.email() }}
    """
    found = look(page, path="templates/a.html")
    assert found == {2: "likely", 3: "likely", 4: "likely", 5: "possible"}


def test_templates_and_other_files_say_nothing_of_a_table() -> None:
    assert look("{{ users }}", path="a.html", operations=(DROP_TABLE,)) == {}
    assert look("users", path="a.css", operations=(DROP_TABLE,)) == {}


def test_sql_files_count_by_the_statement() -> None:
    code = "SELECT 1;\nSELECT email\nFROM users;\nSELECT email FROM people;\n-- email users\n"
    assert look(code, path="q.sql") == {2: "certain", 4: "possible"}
    assert look(code, path="q.sql", operations=(DROP_TABLE,)) == {3: "certain"}


@pytest.mark.proves("A10")
def test_a_dropped_table_is_used_by_its_class_its_name_and_in_sql() -> None:
    code = """
        from models import User
        x = User.query
        y = ForeignKey("users.id")
        z = text("DELETE FROM users WHERE 1")
        t = Table("users", metadata)
        n = "users of the site"
        m = models.User
    """
    found = look(code, operations=(DROP_TABLE,))
    expected = {1: "certain", 2: "certain", 3: "certain", 4: "certain", 5: "likely", 7: "certain"}
    assert found == expected


def test_a_dropped_table_without_a_class_is_told_by_the_name_it_would_have() -> None:
    assert look("User()\nUsers\n", operations=(DROP_TABLE,), models=()) == {
        1: "likely",
        2: "likely",
    }
    assert guessed("order_lines") == {"OrderLine", "OrderLines"}
    assert [singular(n) for n in ("boxes", "categories", "class", "news", "user")] == [
        "box",
        "category",
        "class",
        "new",
        "user",
    ]


def test_a_renamed_column_is_looked_for_by_its_old_name() -> None:
    rename = replace(
        DROP,
        kind="alter_column",
        changes=(Change(attribute="name", before="email", after="mail"),),
    )
    now = ModelClass(name="User", table="users", attributes=(("mail", "mail"),))
    assert look("User.email\nUser.mail\n", operations=(rename,), models=(now,)) == {1: "certain"}


def test_the_class_of_a_renamed_table_still_works_and_its_old_name_does_not() -> None:
    rename = Operation(kind="rename_table", table="users", name="people")
    now = ModelClass(name="User", table="people")
    code = "User\nx = 'SELECT 1 FROM users'\n"
    assert look(code, operations=(rename,), models=(now,)) == {2: "certain"}


def test_what_is_made_again_or_is_new_does_not_go_away() -> None:
    again = replace(DROP, kind="add_column")
    assert targets((DROP, again)) == ()
    assert targets((replace(DROP_TABLE, kind="create_table"), DROP)) == ()
    assert targets((replace(DROP, kind="alter_column"),)) == ()
    assert targets((Operation(kind="execute", sql="SELECT 1"),)) == ()


def test_tests_are_ranked_lower() -> None:
    for path in ("tests/a.py", "app/test_a.py", "app/a_test.py", "conftest.py"):
        assert look("User.email\n", path=path) == {1: "likely"}
    assert look("User\nform.email\n", path="tests/a.py") == {2: "possible"}


def test_a_file_that_is_no_python_or_too_much_is_read_by_its_words() -> None:
    broken = "def (:\nUser\nuser.email\nx.email\n"
    assert look(broken) == {3: "likely", 4: "possible"}
    long = "User.email\n" + "#" * PARSED
    assert look(long) == {1: "likely"}


def test_a_file_may_use_one_thing_by_its_class_and_another_by_its_look() -> None:
    other = Operation(kind="drop_column", table="tags", column=Column(name="label", type="TEXT"))
    code = "User.email\ntag.label\nwhat.label\n"
    assert look(code, operations=(DROP, other)) == {1: "certain", 2: "likely", 3: "possible"}
    both = f"Tag.label\n{code}"
    expected = {1: "likely", 2: "certain", 3: "likely", 4: "possible"}
    assert look(both, operations=(DROP, other)) == expected


def sources(count: int, text: str = "User.email\n") -> Sources:
    return Sources(files=tuple(SourceFile(path=f"a{n:03}.py", text=text) for n in range(count)))


def used(count: int, text: str = "User.email\n") -> References:
    return find(targets((DROP,), MODELS), sources(count, text), MODELS)


def test_the_list_is_bounded_and_everything_is_counted() -> None:
    found = used(30)
    assert (len(found.found), found.total, found.used[0].sure) == (SHOWN, 30, 30)
    assert found.found[0].place == "a000.py:1"


FINDING = Finding(
    rule="drop-column",
    severity="CRITICAL",
    subject="users.email",
    evidence="3 values are deleted",
    outcome="loses_data",
    fix="x",
)


@pytest.mark.proves("A10")
def test_a_finding_says_where_its_subject_is_still_used() -> None:
    assert told(FINDING, used(1)).evidence.endswith("; still used in 1 place: a000.py:1")
    many = told(FINDING, used(30)).evidence
    assert "still used in 30 places: a000.py:1, a001.py:1," in many
    assert many.endswith("a004.py:1, …")


def test_a_finding_says_what_was_looked_through_when_nothing_was_found() -> None:
    assert told(FINDING, used(2, "x")).evidence.endswith(
        "no code that uses it was found in 2 source files"
    )
    maybe = replace(used(2, "form.email"), left_out=4)
    assert told(FINDING, maybe).evidence.endswith(
        "2 source files (4 more were not read); 2 places may mean something else"
    )


def test_the_count_is_said_where_the_places_are_beyond_the_bound() -> None:
    found = replace(used(2), found=())
    assert told(FINDING, found).evidence.endswith("; still used in 2 places")


def test_other_findings_and_unasked_ones_stay_as_they_are() -> None:
    other = replace(FINDING, rule="narrow")
    assert told(other, used(1)) == other
    assert told(FINDING, None) == FINDING


def test_nothing_is_read_where_nothing_goes_away() -> None:
    assert find((), sources(3)).total == 0


def test_a_person_who_is_asked_sees_the_sure_uses_and_how_many_more() -> None:
    (text,) = used_lines(used(30))
    assert text.startswith(
        "Still used in the code:\n- a000.py:1 (certain): users.email, User.email"
    )
    assert text.endswith("\n- … and 10 more")
    assert used_lines(used(1, "form.email")) == ()
    assert used_lines(None) == ()
