"""The table of rights: what each role has, and that nothing in the admin was forgotten."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import authenticate
from django.db import IntegrityError
from django.test import RequestFactory

from hotline.base.actions import constraint_of
from hotline.base.errors import Forbidden
from hotline.operators.backends import RoleBackend
from hotline.operators.models import Role, User
from hotline.operators.roles import RIGHTS, SUPERVISOR_MODELS, VERBS, require, rights_of
from tests.factories import PASSWORD
from tests.operators.factories import UserFactory


@pytest.mark.parametrize(
    ("role", "right", "has"),
    [
        (Role.OPERATOR, "operators.declare_alias", True),
        (Role.OPERATOR, "operators.decide_alias", False),
        (Role.OPERATOR, "operators.manage_tokens", False),
        (Role.OPERATOR, "operators.view_user", False),
        (Role.OPERATOR, "service_centers.view_servicecenter", False),
        (Role.SUPERVISOR, "operators.declare_alias", False),
        (Role.SUPERVISOR, "operators.decide_alias", True),
        (Role.SUPERVISOR, "operators.change_user", True),
        (Role.SUPERVISOR, "operators.delete_user", False),
        (Role.SUPERVISOR, "operators.view_alias", True),
        (Role.SUPERVISOR, "operators.change_alias", False),
        (Role.SUPERVISOR, "operators.change_apitoken", False),
        (Role.SUPERVISOR, "service_centers.change_servicecenter", True),
        (Role.SUPERVISOR, "tickets.view_appeal", True),
        (Role.SUPERVISOR, "tickets.change_appeal", False),
        (Role.SUPERVISOR, "tickets.delete_client", False),
        (Role.SUPERVISOR, "calls.view_call", True),
        (Role.SUPERVISOR, "calls.add_call", False),
        (Role.SUPERVISOR, "sms.change_smsmessage", False),
        (Role.SUPERVISOR, "nobody.view_nothing", False),
        (Role.INTEGRATION, "operators.declare_alias", False),
        (Role.INTEGRATION, "tickets.view_appeal", False),
    ],
)
def test_who_has_which_right(role: Role, right: str, has: bool) -> None:
    user = User(username="probe", role=role)
    assert user.has_perm(right) is has
    assert (right in rights_of(user)) is has
    if not has:
        with pytest.raises(Forbidden):
            require(user, right)


def test_every_role_is_in_the_table_and_machines_have_nothing() -> None:
    assert set(RIGHTS) == set(VERBS) == set(Role)
    assert RIGHTS[Role.INTEGRATION] == frozenset()


def test_a_closed_account_has_no_rights() -> None:
    assert rights_of(User(username="probe", role=Role.SUPERVISOR, is_active=False)) == frozenset()


def test_the_machine_itself_may_what_verbs_ask_for() -> None:
    require(None, "operators.decide_alias")


def test_a_superuser_is_no_operator() -> None:
    admin_user = User(username="probe", role=Role.SUPERVISOR, is_superuser=True)
    assert admin_user.has_perm("operators.declare_alias") is True  # Django's answer, which verbs don't ask
    with pytest.raises(Forbidden):
        require(admin_user, "operators.declare_alias")


def test_every_model_of_the_admin_is_in_the_table() -> None:
    registered = {(model._meta.app_label, model._meta.model_name) for model in admin.site._registry}
    assert sorted(registered - {(app, model) for app, models in SUPERVISOR_MODELS.items() for model in models}) == []


def test_the_table_names_no_model_that_is_not_there() -> None:
    known = {(model._meta.app_label, model._meta.model_name) for model in apps.get_models()}
    assert sorted({(app, model) for app, models in SUPERVISOR_MODELS.items() for model in models} - known) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "lets_in"),
    [
        ({}, True),
        ({"supervisor": True}, True),
        ({"integration": True}, False),
        ({"is_active": False}, False),
    ],
)
def test_people_sign_in_with_a_password_machines_never(fields: dict[str, bool], lets_in: bool) -> None:
    user = UserFactory(**fields)
    request = RequestFactory().post("/sign-in/")
    assert (authenticate(request, username=user.username, password=PASSWORD) == user) is lets_in
    # An account that was closed loses the session it has.
    assert (RoleBackend().get_user(user.pk) == user) is lets_in


def test_the_role_says_who_enters_the_admin() -> None:
    assert [User(role=role).is_staff for role in Role] == [False, True, False]


@pytest.mark.django_db
def test_createsuperuser_makes_a_supervisor() -> None:
    root = User.objects.create_superuser("root", password=PASSWORD)
    assert (root.role, root.is_superuser, root.is_staff) == (Role.SUPERVISOR, True, True)


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.OPERATOR, Role.INTEGRATION])
def test_the_database_refuses_all_rights_to_others(role: Role) -> None:
    with pytest.raises(IntegrityError) as caught:
        UserFactory(role=role, is_superuser=True)
    assert constraint_of(caught.value) == "operators_user_superuser_is_supervisor"
