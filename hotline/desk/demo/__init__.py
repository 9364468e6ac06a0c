"""The demo's data: a hotline on a real day. Bulk rows with explicit times from a fixed seed; nothing is ever sent.

`load.load()` is what `manage.py load_demo` calls; the logins of `staff.py` are printed by `make run` and in the README.
"""
