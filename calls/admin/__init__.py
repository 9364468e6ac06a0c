"""The admin of this room: the script, drafted and published; results; calls, to look at."""

from calls.admin import calls, script

__all__ = ["calls", "script"]
