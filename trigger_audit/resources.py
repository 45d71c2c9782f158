"""Where the SQL files are: inside the installed package, or beside it in a checkout."""

from functools import cache
from pathlib import Path


@cache
def sql_folder() -> Path:
    """The folder that holds catalog/, supabase/, extensions/ and examples/."""
    package = Path(__file__).resolve().parent
    installed = package / "sql"
    return installed if installed.is_dir() else package.parent / "sql"


@cache
def read_sql(name: str) -> str:
    """The text of one SQL file, named relative to the folder: `catalog/triggers.sql`."""
    return (sql_folder() / name).read_text(encoding="utf-8")
