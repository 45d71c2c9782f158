"""The command. `--version` is answered before anything heavy is imported: start-up time is a feature."""

import sys

from trigger_audit.cli.streams import settle_streams


def main() -> None:
    settle_streams()
    if sys.argv[1:] in (["--version"], ["-V"]):
        from trigger_audit import __version__

        print(f"trigger-audit {__version__}")
        return
    try:
        from trigger_audit.cli.main import run
    except KeyboardInterrupt:
        print("error: interrupted; nothing was kept", file=sys.stderr)
        raise SystemExit(2) from None
    run()


if __name__ == "__main__":
    main()
