"""The command. `--version` is answered before anything heavy is imported: start-up time is a feature."""

import sys


def main() -> None:
    if sys.argv[1:] in (["--version"], ["-V"]):
        from trigger_audit import __version__

        print(f"trigger-audit {__version__}")
        return
    from trigger_audit.cli.main import run

    run()


if __name__ == "__main__":
    main()
