"""The settings of the test run: hotline/settings.py, made quick and repeatable, with nothing that changes a rule."""

import os

os.environ.setdefault("HOTLINE_DEMO", "1")
# No pool: a test database is dropped at the end, and threads of race tests bring connections of their own.
os.environ.setdefault("HOTLINE_DB_POOL_MAX", "0")
os.environ.setdefault("HOTLINE_LOG_LEVEL", "WARNING")
# Workers of one test run share a broker, not a queue; processes that a test starts inherit the name.
os.environ["HOTLINE_QUEUE"] = f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
# pytest-playwright keeps an event loop in the main thread, where Django then refuses every query of a test.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

from hotline.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["tests.hashers.QuickPBKDF2"]
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
