"""A password hasher for tests: quick, and what it writes is read by a server that runs the real settings."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickPBKDF2(PBKDF2PasswordHasher):
    iterations = 1
