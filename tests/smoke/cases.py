"""Projects with something wrong in one place: their SQL, and the flows that meet it.

What smoke makes of them stands in `test_proof`, what the real Auth does with them in `tests/conformance/test_cases`.
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """`sql` is applied by postgres to a new project."""

    sql: str
    flows: tuple[str, ...] = ("signup-email",)


def _function(name: str, body: str, *, declare: str = "") -> str:
    """A SECURITY DEFINER trigger function whose body's first line is line 3."""
    return f"""
CREATE FUNCTION public.{name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $${declare}
BEGIN
{body}
END $$;
"""


def on_users(name: str, body: str, when: str = "AFTER INSERT", *, condition: str = "", declare: str = "") -> str:
    """Such a function in schema public, and its trigger of the same name."""
    return _function(name, body, declare=declare) + _attach(name, name, when, condition)


def _attach(trigger: str, name: str, when: str, condition: str = "", table: str = "auth.users") -> str:
    return f"CREATE TRIGGER {trigger} {when} ON {table} FOR EACH ROW {condition} EXECUTE FUNCTION public.{name}();\n"


def _harmless(*names: str) -> str:
    return "".join(on_users(name, "  RETURN NEW;", "BEFORE INSERT OR UPDATE") for name in names)


_PROFILES = "CREATE TABLE public.profiles (id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE, name text);\n"
_CARDS = "CREATE TABLE public.cards (owner uuid REFERENCES public.profiles ON DELETE CASCADE);\n"
_NAMES = "CREATE TABLE public.names (name text UNIQUE);\nINSERT INTO public.names VALUES ('taken');\n"
_MAKES_PROFILE = "  INSERT INTO public.profiles (id) VALUES (NEW.id);\n  RETURN NEW;"
_FAILS = "  RAISE EXCEPTION 'no';\n  RETURN NEW;"

_SWALLOWS = """  BEGIN
    INSERT INTO public.nowhere VALUES (NEW.id);
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
  RETURN NEW;"""
_RETRIES = """  LOOP
    BEGIN
      INSERT INTO public.names VALUES (candidate);
      EXIT;
    EXCEPTION WHEN OTHERS THEN
      candidate := candidate || 'x';
    END;
  END LOOP;
  RETURN NEW;"""
_TRIES = """
CREATE FUNCTION public.try_name(wanted text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
  INSERT INTO public.names VALUES (wanted);
  RETURN wanted;
EXCEPTION WHEN OTHERS THEN RETURN NULL;
END $$;
"""
_FALLS_BACK = """  BEGIN
    wanted := (NEW.raw_user_meta_data ->> 'age')::int;
  EXCEPTION WHEN OTHERS THEN
    wanted := 0;
  END;
  INSERT INTO public.ages VALUES (wanted);
  RETURN NEW;"""

ALTERING = {
    "returns-null": Case(_harmless("a", "z") + on_users("quiet", "  RETURN NULL;", "BEFORE INSERT")),
    "returns-old": Case(_harmless("a", "z") + on_users("quiet", "  RETURN OLD;", "BEFORE UPDATE")),
    "confirms": Case(
        _harmless("a", "z")
        + on_users("quiet", "  NEW.email_confirmed_at := pg_catalog.now();\n  RETURN NEW;", "BEFORE INSERT")
    ),
    "clears-token": Case(
        _harmless("a", "z") + on_users("quiet", "  NEW.confirmation_token := '';\n  RETURN NEW;", "BEFORE UPDATE")
    ),
}
"""A BEFORE trigger `quiet` that raises no error and yet breaks the sign-up."""

HANDLING = {
    "retries": Case(_NAMES + on_users("on_new", _RETRIES, declare=" DECLARE candidate text := 'taken';")),
    "retries-by-a-helper": Case(
        _NAMES
        + _TRIES
        + on_users(
            "on_new",
            "  WHILE got IS NULL LOOP\n    got := public.try_name(candidate);\n"
            "    candidate := candidate || 'x';\n  END LOOP;\n  RETURN NEW;",
            declare=" DECLARE got text; candidate text := 'taken';",
        )
    ),
    "narrow-idiom": Case(
        _NAMES
        + on_users(
            "on_new",
            "  BEGIN\n    INSERT INTO public.names VALUES ('taken');\n"
            "  EXCEPTION WHEN unique_violation THEN NULL;\n  END;\n  RETURN NEW;",
        )
    ),
    "falls-back": Case(
        "CREATE TABLE public.ages (age int);\n" + on_users("on_new", _FALLS_BACK, declare=" DECLARE wanted int := 1;")
    ),
}
"""A handler that is part of the work: nothing is wrong."""

CASES = {
    "the-middle-one-of-three": Case(
        _PROFILES
        + on_users("a_profile", _MAKES_PROFILE)
        + on_users("b_middle", _FAILS)
        + on_users("c_last", "  UPDATE public.profiles SET name = 'x' WHERE id = NEW.id;\n  RETURN NEW;")
    ),
    "only-when-the-token-is-written": Case(
        _harmless("a", "z")
        + on_users("on_token", _FAILS, "AFTER UPDATE", condition="WHEN (NEW.confirmation_token <> '')")
    ),
    "only-at-commit": Case(
        _harmless("a")
        + _function("late", _FAILS)
        + "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON auth.users DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION public.late();"
    ),
    "only-on-login": Case(
        on_users("seen", _FAILS, "AFTER UPDATE OF last_sign_in_at") + _harmless("a"), ("signup-email", "login")
    ),
    "a-foreign-key-that-blocks-the-deletion": Case(
        "CREATE TABLE public.notes (owner uuid CONSTRAINT notes_owner REFERENCES auth.users);\n"
        + on_users("on_new", "  INSERT INTO public.notes VALUES (NEW.id);\n  RETURN NEW;"),
        ("signup-email", "delete-user"),
    ),
    "a-users-table-that-refuses-the-deletion": Case(
        _PROFILES
        + on_users("on_new", _MAKES_PROFILE)
        + _function("keep", _FAILS)
        + _attach("keep", "keep", "BEFORE DELETE", table="public.profiles"),
        ("delete-user",),
    ),
    "only-for-phone-and-anonymous": Case(
        "CREATE TABLE public.mails (address text NOT NULL);\n"
        + _harmless("a")
        + on_users("on_new", "  INSERT INTO public.mails VALUES (NEW.email);\n  RETURN NEW;"),
        ("signup-email", "signup-phone", "anonymous"),
    ),
    "only-for-a-second-user-of-the-same-name": Case(
        "CREATE TABLE public.names (name text UNIQUE);\n"
        + _harmless("a")
        + on_users(
            "on_new", "  INSERT INTO public.names VALUES (pg_catalog.split_part(NEW.email, '@', 1));\n  RETURN NEW;"
        )
    ),
    **ALTERING,
    "recursion": Case(
        _harmless("a")
        + on_users(
            "again",
            "  UPDATE auth.users SET updated_at = pg_catalog.now() WHERE id = NEW.id;\n  RETURN NEW;",
            "AFTER UPDATE",
        )
    ),
    "two-culprits": Case(
        _harmless("a") + on_users("first", _FAILS) + on_users("second", _FAILS, "AFTER UPDATE OF role")
    ),
    "a-pair": Case(
        _harmless("a")
        + on_users("mark", "  NEW.is_super_admin := false;\n  RETURN NEW;", "BEFORE INSERT")
        + on_users("refuse", "  IF NOT NEW.is_super_admin THEN RAISE EXCEPTION 'no'; END IF;\n  RETURN NEW;")
    ),
    "two-tables-deeper": Case(
        _PROFILES
        + "CREATE TABLE public.stats (n int);\n"
        + _harmless("a")
        + on_users("on_new", _MAKES_PROFILE)
        + _function("count_up", "  INSERT INTO public.stats VALUES (1);\n  RETURN NEW;")
        + _attach("count_up", "count_up", "AFTER INSERT", table="public.profiles")
        + _function("deep", _FAILS)
        + _attach("deep", "deep", "AFTER INSERT", table="public.stats")
    ),
    "one-makes-the-parent-row-the-next-fails": Case(
        _PROFILES
        + _CARDS
        + on_users("a_parent", _MAKES_PROFILE)
        + on_users("b_child", "  INSERT INTO public.cards VALUES (NEW.id);\n  RAISE EXCEPTION 'no';")
    ),
    "one-fails-the-next-needs-its-parent-row": Case(
        _PROFILES
        + _CARDS
        + on_users("a_parent", "  INSERT INTO public.profiles (id) VALUES (NEW.id);\n  RAISE EXCEPTION 'no';")
        + on_users("b_child", "  INSERT INTO public.cards VALUES (NEW.id);\n  RETURN NEW;")
    ),
    "a-shared-function": Case(
        _function("both", "  IF TG_NAME = 'bad' THEN RAISE EXCEPTION 'no'; END IF;\n  RETURN NEW;")
        + _attach("bad", "both", "AFTER INSERT")
        + _attach("good", "both", "AFTER UPDATE")
    ),
    "a-swallowed-error": Case(on_users("quiet", _SWALLOWS)),
    **HANDLING,
}
