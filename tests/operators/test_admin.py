"""The admin of staff: our own door, accounts, tokens shown once, aliases by their verbs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hotline.operators import actions
from hotline.operators.authentication import authenticate_token
from hotline.operators.models import Alias, ApiToken, Role, User
from tests.factories import PASSWORD
from tests.helpers import assert_same_query_count
from tests.operators.factories import AliasFactory, UserFactory, issue

pytestmark = pytest.mark.django_db
INDEX, LOGIN = reverse("admin:index"), reverse("operators:login")


@pytest.fixture
def supervisor() -> User:
    return UserFactory(supervisor=True)


@pytest.fixture
def boss(supervisor: User) -> Client:
    client = Client()
    client.force_login(supervisor, backend="hotline.operators.backends.RoleBackend")
    return client


def text(response: Any) -> str:
    return response.content.decode()


def url(model: str, page: str, *args: object) -> str:
    return reverse(f"admin:operators_{model}_{page}", args=args)


# --- The door ---------------------------------------------------------------------------------------
def test_the_admins_door_is_ours(client: Client) -> None:
    assert client.get(INDEX)["Location"] == f"{LOGIN}?next={INDEX}"
    assert client.get(reverse("admin:login"))["Location"] == f"{LOGIN}?next={INDEX}"
    assert client.post(reverse("admin:login"), {"username": "x", "password": "y"}).status_code == 302


def test_operators_stay_outside_and_are_told_so(client: Client) -> None:
    client.force_login(UserFactory(), backend="hotline.operators.backends.RoleBackend")
    assert client.get(INDEX).status_code == 403
    assert client.get(reverse("admin:login")).status_code == 403


def test_signing_out_there_is_signing_out(boss: Client, supervisor: User) -> None:
    actions.pick_extension(user=supervisor, extension="900", actor=supervisor)
    assert boss.post(reverse("admin:logout"))["Location"] == LOGIN
    supervisor.refresh_from_db()
    assert supervisor.extension == ""
    assert boss.get(INDEX).status_code == 302


def test_the_password_is_changed_on_our_page(boss: Client) -> None:
    assert boss.get(reverse("admin:password_change"))["Location"] == reverse("operators:password")


def test_there_are_no_groups(boss: Client) -> None:
    boss.force_login(UserFactory(superuser=True), backend="hotline.operators.backends.RoleBackend")
    assert "/admin/auth/" not in text(boss.get(INDEX))


# --- Accounts ---------------------------------------------------------------------------------------
def test_a_supervisor_makes_an_account(boss: Client, supervisor: User) -> None:
    new = "тихая-гавань-42"
    data = {"username": "anna", "last_name": "Белова", "first_name": "Анна", "middle_name": "", "role": "operator"}
    response = boss.post(url("user", "add"), {**data, "usable_password": "true", "password1": new, "password2": new})
    assert response.status_code == 302
    person = User.objects.get(username="anna")
    assert (person.role, str(person), person.check_password(new)) == (Role.OPERATOR, "Белова Анна", True)
    [row] = person.history.select_related("pgh_context")
    assert row.pgh_context.metadata["actor"] == supervisor.pk


def test_a_machine_needs_no_password(boss: Client) -> None:
    response = boss.post(
        url("user", "add"),
        {"username": "pbx", "last_name": "АТС", "role": "integration", "usable_password": "false"},
    )
    assert response.status_code == 302
    assert not User.objects.get(username="pbx").has_usable_password()


def form_of(user: User, **changes: Any) -> dict[str, Any]:
    data = {
        "username": user.username,
        "last_name": user.last_name,
        "first_name": user.first_name,
        "middle_name": user.middle_name,
        "email": user.email,
        "role": user.role,
        "is_active": "on",
        "language": "ru",
        "theme": "auto",
    } | changes
    return {name: value for name, value in data.items() if value is not None}


def test_closing_an_account_frees_its_telephone_and_its_name(boss: Client, supervisor: User) -> None:
    person = UserFactory(extension="101", state=User.State.READY)
    alias = AliasFactory(operator=person)
    assert boss.post(url("user", "change", person.pk), form_of(person, is_active=None)).status_code == 302
    person.refresh_from_db()
    alias.refresh_from_db()
    assert (person.is_active, person.extension, alias.state) == (False, "", Alias.State.RETIRED)


def test_the_page_shows_who_changed_rights_and_telephones(boss: Client, supervisor: User) -> None:
    person, colleague = UserFactory(extension="101"), UserFactory(last_name="Захватова")
    actions.pick_extension(user=colleague, extension="101", take_over_from=person.pk, actor=colleague)
    boss.post(url("user", "change", person.pk), form_of(person, role="supervisor"))
    page = text(boss.get(url("user", "change", person.pk)))
    assert "Захватова" in page
    assert "оператор → супервайзер" in page
    assert supervisor.last_name in page


def test_nobody_is_deleted(boss: Client) -> None:
    person = UserFactory()
    assert boss.post(url("user", "delete", person.pk), {"post": "yes"}).status_code == 403
    boss.post(url("user", "changelist"), {"action": "delete_selected", "_selected_action": [person.pk], "post": "yes"})
    assert User.objects.filter(pk=person.pk).exists()


def test_a_supervisor_gets_no_more_rights_than_given(boss: Client, supervisor: User) -> None:
    root, person = UserFactory(superuser=True), UserFactory()
    boss.post(url("user", "change", person.pk), form_of(person, role="supervisor", is_superuser="on"))
    person.refresh_from_db()
    assert (person.role, person.is_superuser) == (Role.SUPERVISOR, False)
    assert boss.post(url("user", "change", root.pk), form_of(root, username="mine")).status_code == 403
    new = {"password1": "тихая-гавань-42", "password2": "тихая-гавань-42", "usable_password": "true"}
    assert boss.post(reverse("admin:auth_user_password_change", args=[root.pk]), new).status_code == 403
    root.refresh_from_db()
    assert root.check_password(PASSWORD)


def test_all_rights_are_for_supervisors_only() -> None:
    client, person = Client(), UserFactory()
    client.force_login(UserFactory(superuser=True), backend="hotline.operators.backends.RoleBackend")
    response = client.post(url("user", "change", person.pk), form_of(person, is_superuser="on"))
    assert response.status_code == 200
    assert "Все права" in text(response)


def test_a_telephone_left_behind_is_freed(boss: Client) -> None:
    person = UserFactory(extension="101", state=User.State.READY)
    boss.post(url("user", "changelist"), {"action": "free_telephone", "_selected_action": [person.pk]})
    person.refresh_from_db()
    assert (person.extension, person.state) == ("", User.State.OFFLINE)


# --- Tokens -----------------------------------------------------------------------------------------
def token_form(machine: User, **changes: Any) -> dict[str, Any]:
    expires = timezone.localtime() + timedelta(days=30)
    return {
        "user": machine.pk,
        "name": "АТС",
        "scopes": ["telephony"],
        "expires_at_0": expires.strftime("%d.%m.%Y"),
        "expires_at_1": expires.strftime("%H:%M:%S"),
    } | changes


def test_a_token_is_shown_once_and_works(boss: Client) -> None:
    machine = UserFactory(integration=True)
    response = boss.post(url("apitoken", "add"), token_form(machine))
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    [plain] = re.findall(r'value="(hl_[^"]+)"', text(response))
    assert authenticate_token(plain, ApiToken.Scope.TELEPHONY) == machine
    token = ApiToken.objects.get()
    for page in (url("apitoken", "changelist"), url("apitoken", "change", token.pk), INDEX):
        assert plain not in text(boss.get(page))


@pytest.mark.parametrize(
    "changes",
    [
        {"scopes": []},
        {"scopes": ["root"]},
        {"name": ""},
        {"user": ""},
        {"expires_at_0": "01.01.2020"},
        {"expires_at_0": "x"},
    ],
)
def test_what_is_wrong_with_a_token_stands_in_the_form(boss: Client, changes: dict[str, Any]) -> None:
    response = boss.post(url("apitoken", "add"), token_form(UserFactory(integration=True), **changes))
    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    assert not ApiToken.objects.exists()


def test_people_are_not_offered_tokens(boss: Client) -> None:
    response = boss.post(url("apitoken", "add"), token_form(UserFactory()))
    assert "user" in response.context["adminform"].form.errors


def test_revoking_in_the_list(boss: Client) -> None:
    token, plain = issue(UserFactory(integration=True))
    for _ in range(2):  # the second time is a message, not an error
        response = boss.post(
            url("apitoken", "changelist"), {"action": "revoke", "_selected_action": [token.pk]}, follow=True
        )
        assert response.status_code == 200
    assert authenticate_token(plain, ApiToken.Scope.READ) is None


def test_a_token_is_never_edited_nor_deleted(boss: Client) -> None:
    token, _ = issue(UserFactory(integration=True))
    assert boss.post(url("apitoken", "change", token.pk), token_form(token.user)).status_code == 403
    assert boss.post(url("apitoken", "delete", token.pk), {"post": "yes"}).status_code == 403


# --- Aliases ----------------------------------------------------------------------------------------
def test_aliases_are_decided_by_their_verbs_and_not_edited(boss: Client, supervisor: User) -> None:
    one, two = AliasFactory(), AliasFactory(spoken_name="Вера")
    listing = url("alias", "changelist")
    boss.post(listing, {"action": "acknowledge", "_selected_action": [one.pk], "reason": ""})
    boss.post(listing, {"action": "stop", "_selected_action": [two.pk], "reason": "путают"})
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.state, one.decided_by) == (Alias.State.ACKNOWLEDGED, supervisor)
    assert (two.state, two.reason) == (Alias.State.STOPPED, "путают")
    assert boss.get(url("alias", "add")).status_code == 403
    assert boss.post(url("alias", "change", one.pk), {"spoken_name": "Иная"}).status_code == 403


def test_stopping_without_a_reason_is_a_message(boss: Client) -> None:
    alias = AliasFactory()
    response = boss.post(
        url("alias", "changelist"), {"action": "stop", "_selected_action": [alias.pk], "reason": ""}, follow=True
    )
    assert "Укажите причину" in text(response)
    alias.refresh_from_db()
    assert alias.state == Alias.State.DECLARED


def test_superusers_edit_no_alias_either() -> None:
    client, alias = Client(), AliasFactory()
    client.force_login(UserFactory(superuser=True), backend="hotline.operators.backends.RoleBackend")
    assert client.post(url("alias", "change", alias.pk), {"spoken_name": "Иная"}).status_code == 403
    assert client.post(url("alias", "delete", alias.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", ["user", "alias", "apitoken"])
def test_the_lists_cost_the_same_with_many_rows(boss: Client, model: str) -> None:
    def make(count: int) -> None:
        for _ in range(count):
            if model == "user":
                UserFactory()
            elif model == "alias":
                AliasFactory()
            else:
                issue(UserFactory(integration=True))

    assert_same_query_count(make, lambda: boss.get(url(model, "changelist")))
