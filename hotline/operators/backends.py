"""Rights by role: Django asks here, and here asks the table of `roles.py`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend

from hotline.operators.models import Role, User
from hotline.operators.roles import rights_of


class RoleBackend(ModelBackend):
    """Sign-in by password for people; rights from the table in code, never from groups in the database."""

    def user_can_authenticate(self, user: Any) -> bool:
        """Machines come with a token only: a session of theirs would never expire from disuse, nor have scopes."""
        return super().user_can_authenticate(user) and getattr(user, "role", None) != Role.INTEGRATION

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set()

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return self.get_all_permissions(user_obj, obj)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Rights are of the role, not of a row: asking about an object changes nothing."""
        return set(rights_of(user_obj)) if isinstance(user_obj, User) else set()

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return isinstance(user_obj, User) and perm in rights_of(user_obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(right.startswith(f"{app_label}.") for right in self.get_all_permissions(user_obj))
