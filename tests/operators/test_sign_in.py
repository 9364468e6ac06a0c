"""Signing in and out: the door, the telephone on the way, the lock, passwords, the switches of the header."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hotline.operators import actions
from hotline.operators.models import User
from tests.factories import PASSWORD
from tests.operators.factories import UserFactory

pytestmark = pytest.mark.django_db
LOGIN, EXTENSION, START = reverse("operators:login"), reverse("operators:extension"), reverse("desk:start")


def sign_in(client: Client, user: User, password: str = PASSWORD, **data: str) -> Any:
    return client.post(LOGIN, {"username": user.username, "password": password, **data})


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


# --- The door ---------------------------------------------------------------------------------------
def test_an_operator_signs_in_with_a_telephone_and_is_ready(client: Client) -> None:
    person = UserFactory()
    response = sign_in(client, person, extension="101")
    assert (response.status_code, response["Location"]) == (302, START)
    person.refresh_from_db()
    assert (person.extension, person.state) == ("101", User.State.READY)
    assert client.cookies["hotline_extension"].value == "101"


def test_the_browser_remembers_its_telephone(client: Client) -> None:
    person = UserFactory()
    sign_in(client, person, extension="101")
    client.post(reverse("operators:logout"))
    page = client.get(LOGIN).content.decode()
    assert 'value="101"' in page
    assert '<option value="101">' in page


def test_an_operator_without_a_telephone_is_asked_for_one(client: Client) -> None:
    person = UserFactory()
    response = sign_in(client, person)
    assert response["Location"].startswith(f"{EXTENSION}?")
    assert is_in(client)
    person.refresh_from_db()
    assert person.state == User.State.OFFLINE


def test_a_supervisor_may_leave_the_telephone_empty(client: Client) -> None:
    response = sign_in(client, UserFactory(supervisor=True))
    assert (response.status_code, response["Location"]) == (302, START)


def test_who_signs_in_again_keeps_the_telephone(client: Client) -> None:
    person = UserFactory(extension="101")
    assert sign_in(client, person)["Location"] == START
    person.refresh_from_db()
    assert (person.extension, person.state) == ("101", User.State.READY)


def test_a_malformed_telephone_is_said_after_the_password_not_instead_of_it(client: Client) -> None:
    person = UserFactory()
    response = sign_in(client, person, extension="нет")
    assert response["Location"].startswith(f"{EXTENSION}?")
    response = client.post(EXTENSION, {"extension": "нет"})
    assert response.status_code == 400
    assert "extension_malformed" in response.context["form"].errors.as_json()


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " "])
def test_a_wrong_password_lets_nobody_in(client: Client, password: str) -> None:
    response = sign_in(client, UserFactory(), password)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert not is_in(client)


@pytest.mark.parametrize("fields", [{"is_active": False}, {"integration": True}])
def test_closed_accounts_and_machines_stay_outside(client: Client, fields: dict[str, bool]) -> None:
    assert sign_in(client, UserFactory(**fields)).status_code == 200
    assert not is_in(client)


def test_after_signing_in_one_is_where_one_wanted_to_be(client: Client) -> None:
    person = UserFactory()
    target = reverse("operators:alias")
    response = client.get(target)
    assert response["Location"] == f"{LOGIN}?next={target}"
    response = client.post(
        response["Location"], {"username": person.username, "password": PASSWORD, "extension": "101", "next": target}
    )
    assert response["Location"] == target


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_to_a_strangers_page(client: Client, target: str) -> None:
    person = UserFactory()
    assert sign_in(client, person, extension="101", next=target)["Location"] == START
    assert client.post(EXTENSION, {"extension": "102", "next": target})["Location"] == START
    assert client.post(reverse("operators:preferences"), {"theme": "dark", "next": target})["Location"] == START
    assert Client().post(reverse("operators:language"), {"language": "en", "next": target})["Location"] == LOGIN


def test_a_fragment_of_a_page_left_open_is_sent_to_sign_in_with_the_way_back(client: Client) -> None:
    response = client.get(
        reverse("operators:state"),
        headers={"hx-request": "true", "hx-current-url": "http://testserver/me/alias/?a=1"},
    )
    assert (response.status_code, response["Location"]) == (302, f"{LOGIN}?next=/me/alias/%3Fa%3D1")


def test_an_account_that_is_closed_loses_its_open_session(client: Client) -> None:
    person = UserFactory(extension="101")
    sign_in(client, person)
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert client.get(reverse("operators:alias"))["Location"].startswith(LOGIN)


# --- The telephone ----------------------------------------------------------------------------------
def test_a_colleagues_telephone_is_shown_with_who_and_taken_over_after_consent(client: Client) -> None:
    holder = UserFactory(last_name="Петрова")
    actions.pick_extension(user=holder, extension="101", actor=holder)
    person = UserFactory()
    location = sign_in(client, person, extension="101")["Location"]
    assert location.startswith(f"{EXTENSION}?")
    page = client.get(location).content.decode()
    assert "Петрова" in page
    assert f'name="holder" value="{holder.pk}"' in page

    # Without the tick nothing happens but that it is said again.
    response = client.post(EXTENSION, {"extension": "101", "holder": holder.pk})
    assert response.status_code == 409
    holder.refresh_from_db()
    assert holder.extension == "101"

    response = client.post(EXTENSION, {"extension": "101", "holder": holder.pk, "take_over": "on"})
    assert response.status_code == 302
    holder.refresh_from_db()
    person.refresh_from_db()
    assert (holder.extension, person.extension) == ("", "101")


def test_the_tick_is_for_the_colleague_who_was_shown(client: Client) -> None:
    shown, holder, person = UserFactory(), UserFactory(extension="101", last_name="Другая"), UserFactory()
    client.force_login(person, backend="hotline.operators.backends.RoleBackend")
    response = client.post(EXTENSION, {"extension": "101", "holder": shown.pk, "take_over": "on"})
    assert response.status_code == 409
    page = response.content.decode()
    assert "Другая" in page
    assert "checked" not in page
    holder.refresh_from_db()
    assert holder.extension == "101"


@pytest.mark.parametrize("data", [{}, {"extension": ""}, {"extension": "1" * 17}, {"extension": "101", "holder": "x"}])
def test_odd_input_is_a_message_and_no_error(client: Client, data: dict[str, str]) -> None:
    client.force_login(UserFactory(), backend="hotline.operators.backends.RoleBackend")
    assert client.post(EXTENSION, data).status_code == 400


# --- The lock ---------------------------------------------------------------------------------------
def test_five_wrong_attempts_lock_the_login_and_a_supervisor_unlocks_it(client: Client, settings: Any) -> None:
    person, supervisor = UserFactory(), UserFactory(supervisor=True)
    answers = [sign_in(client, person, "wrong").status_code for _ in range(settings.AXES_FAILURE_LIMIT)]
    assert answers == [200] * (settings.AXES_FAILURE_LIMIT - 1) + [429]

    response = sign_in(client, person)  # the right password now comes too late
    assert response.status_code == 429
    assert response["Retry-After"] == "900"
    assert "15 минут" in response.content.decode()
    assert person.username not in response.content.decode()
    assert not is_in(client)
    # Others at the same address are not locked out with them.
    assert sign_in(Client(), supervisor).status_code == 302

    boss = Client()
    boss.force_login(supervisor, backend="hotline.operators.backends.RoleBackend")
    listed = boss.get(reverse("admin:operators_user_changelist"), {"q": person.username})
    assert [user.locked for user in listed.context["cl"].result_list] == [True]
    boss.post(reverse("admin:operators_user_changelist"), {"action": "unlock", "_selected_action": [person.pk]})
    assert sign_in(client, person, extension="101").status_code == 302


def test_a_login_that_is_not_there_locks_like_one_that_is(client: Client, settings: Any) -> None:
    nobody = User(username="nobody-here")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        response = sign_in(client, nobody, "wrong")
    assert response.status_code == 429


def test_success_forgets_the_wrong_attempts_before_it(client: Client, settings: Any) -> None:
    person = UserFactory(extension="101")
    for _ in range(3):
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            assert sign_in(Client(), person, "wrong").status_code == 200
        assert sign_in(client, person).status_code == 302
        client.logout()


# --- Leaving ----------------------------------------------------------------------------------------
def test_signing_out_ends_the_session_and_frees_the_telephone(client: Client) -> None:
    person = UserFactory()
    sign_in(client, person, extension="101")
    response = client.post(reverse("operators:logout"))
    assert response["Location"] == LOGIN
    assert not is_in(client)
    person.refresh_from_db()
    assert (person.extension, person.state) == ("", User.State.OFFLINE)


def test_a_link_does_not_sign_out(client: Client) -> None:
    person = UserFactory()
    sign_in(client, person, extension="101")
    assert client.get(reverse("operators:logout")).status_code == 405
    assert is_in(client)


def test_signing_out_needs_the_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory(), backend="hotline.operators.backends.RoleBackend")
    assert client.post(reverse("operators:logout")).status_code == 403


# --- Passwords --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("short1", "password_too_short"),
        ("12345678901", "password_entirely_numeric"),
        ("password123", "password_too_common"),
        ("operator-petrova", "password_too_similar"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(client: Client, new: str, code: str) -> None:
    person = UserFactory(username="operator-petrova")
    client.force_login(person, backend="hotline.operators.backends.RoleBackend")
    data = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    response = client.post(reverse("operators:password"), data)
    assert response.status_code == 400
    assert code in response.context["form"].errors.as_json()
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_a_new_password_ends_other_sessions_and_keeps_this_one(client: Client) -> None:
    person = UserFactory(extension="101")
    elsewhere = Client()
    sign_in(client, person)
    sign_in(elsewhere, person)
    new = "тихая-гавань-42"
    data = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post(reverse("operators:password"), data).status_code == 302
    assert client.get(reverse("operators:password")).status_code == 200
    assert elsewhere.get(reverse("operators:password")).status_code == 302
    assert sign_in(Client(), person, new).status_code == 302


# --- The header -------------------------------------------------------------------------------------
def test_the_switch_answers_with_its_own_fragment(client: Client) -> None:
    person = UserFactory(extension="101", state=User.State.READY)
    client.force_login(person, backend="hotline.operators.backends.RoleBackend")
    response = client.post(reverse("operators:state"), {"state": "break"}, headers={"hx-request": "true"})
    assert response.status_code == 200
    assert [template.name for template in response.templates if template.name][0] == "operators/_state.html"
    assert 'value="ready"' in response.content.decode()
    person.refresh_from_db()
    assert person.state == User.State.BREAK


@pytest.mark.parametrize(("state", "status"), [("ready", 409), ("in_call", 400), ("", 400), ("нет", 400)])
def test_a_refused_switch_says_why(client: Client, state: str, status: int) -> None:
    person = UserFactory(extension="101", state=User.State.IN_CALL)
    client.force_login(person, backend="hotline.operators.backends.RoleBackend")
    response = client.post(reverse("operators:state"), {"state": state}, headers={"hx-request": "true"})
    assert response.status_code == status
    assert 'role="alert"' in response.content.decode()
    person.refresh_from_db()
    assert person.state == User.State.IN_CALL


def test_the_switch_works_without_scripts_too(client: Client) -> None:
    person = UserFactory(extension="101", state=User.State.READY)
    client.force_login(person, backend="hotline.operators.backends.RoleBackend")
    response = client.post(reverse("operators:state"), {"state": "break", "next": "/me/alias/"})
    assert response["Location"] == "/me/alias/"


def test_language_and_theme_are_the_persons_and_come_with_every_page(client: Client) -> None:
    person = UserFactory()
    client.force_login(person, backend="hotline.operators.backends.RoleBackend")
    page = client.get(reverse("operators:alias")).content.decode()
    assert '<html lang="ru" data-theme="auto">' in page
    client.post(reverse("operators:preferences"), {"theme": "dark", "next": "/me/alias/"})
    response = client.post(reverse("operators:preferences"), {"language": "en", "next": "/me/alias/"})
    assert response["Location"] == "/me/alias/"
    page = client.get(reverse("operators:alias")).content.decode()
    assert '<html lang="en" data-theme="dark">' in page
    assert "My alias" in page
    # The sign-in page of this browser speaks it as well.
    client.post(reverse("operators:logout"))
    assert '<html lang="en" data-theme="auto">' in client.get(LOGIN).content.decode()


@pytest.mark.parametrize("data", [{}, {"theme": "neon"}, {"language": "kk"}])
def test_odd_preferences_are_a_bad_request(client: Client, data: dict[str, str]) -> None:
    client.force_login(UserFactory(), backend="hotline.operators.backends.RoleBackend")
    assert client.post(reverse("operators:preferences"), data).status_code == 400


def test_before_signing_in_the_language_is_the_browsers(client: Client) -> None:
    assert '<html lang="ru"' in client.get(LOGIN, headers={"accept-language": "en"}).content.decode()
    client.post(reverse("operators:language"), {"language": "en"})
    assert '<html lang="en"' in client.get(LOGIN).content.decode()
    assert client.post(reverse("operators:language"), {"language": "xx"}).status_code == 400


def test_no_page_of_signing_in_is_kept_by_the_browser(client: Client) -> None:
    assert "no-store" in client.get(LOGIN)["Cache-Control"]
