"""``python -m gptviz.cli``: the same as ``gptviz``."""

from gptviz.cli import app

if __name__ == "__main__":
    app(prog_name="gptviz")
