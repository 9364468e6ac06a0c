"""The back office of this room: a draft is copied, written and published through the verbs; then it is closed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from calls import reference
from calls.models import Phrase, ScriptChange, ScriptVersion
from tests.calls.factories import CallFactory
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def web(client: Browser) -> Browser:
    reference.load()
    client.force_login(UserFactory(supervisor=True))
    return client


def add(web: Browser) -> ScriptVersion:
    first = ScriptVersion.objects.get(number=1)
    answer = web.post(reverse("admin:calls_scriptversion_add"), {"script": first.script_id})
    draft = ScriptVersion.objects.get(number=2)
    assert answer.headers["Location"] == reverse("admin:calls_scriptversion_change", args=[draft.pk])
    return draft


def act(web: Browser, version: ScriptVersion, action: str, **data: Any) -> Any:
    chosen = {"action": action, "_selected_action": [version.pk], **data}
    return web.post(reverse("admin:calls_scriptversion_changelist"), chosen, follow=True)


def explain(version: ScriptVersion) -> None:
    ScriptChange.objects.create(
        script=version.script, version=version, date=timezone.localdate(), author="С", what="Правка", ground="meeting"
    )


def forms_of(page: Any) -> dict[str, Any]:
    """Every field of the change page as the browser would send it."""
    data: dict[str, Any] = {}
    for formset in page.context["inline_admin_formsets"]:
        inner = formset.formset
        for bound in [*inner.management_form, *(field for form in inner.forms for field in form)]:
            value = bound.value()
            if value is not None and value is not False:
                data[bound.html_name] = value
    return data


def test_add_copies_the_newest_version_once(web: Browser) -> None:
    draft = add(web)
    assert draft.phrases.count() == ScriptVersion.objects.get(number=1).phrases.count()
    again = web.post(reverse("admin:calls_scriptversion_add"), {"script": draft.script_id})
    assert again.status_code == 200  # the form, with what is wrong
    assert ScriptVersion.objects.count() == 2


def test_a_draft_is_written_in_its_inlines(web: Browser) -> None:
    draft = add(web)
    page = web.get(reverse("admin:calls_scriptversion_change", args=[draft.pk]))
    data = forms_of(page)
    name = next(name for name, value in data.items() if value == "Остались ли у вас дополнительные вопросы?")
    data[name] = "У вас остались вопросы?"

    answer = web.post(reverse("admin:calls_scriptversion_change", args=[draft.pk]), data)

    assert answer.status_code == 302
    assert draft.phrases.filter(text="У вас остались вопросы?").exists()


def test_an_unknown_placeholder_is_refused_beside_the_phrase(web: Browser) -> None:
    draft = add(web)
    page = web.get(reverse("admin:calls_scriptversion_change", args=[draft.pk]))
    data = forms_of(page)
    name = next(name for name, value in data.items() if value == "Остались ли у вас дополнительные вопросы?")
    answer = web.post(reverse("admin:calls_scriptversion_change", args=[draft.pk]), {**data, name: "{имя}, ещё?"})
    assert answer.status_code == 200
    assert "{operator}" in answer.content.decode()


def test_publishing_goes_by_the_verb(web: Browser) -> None:
    draft = add(web)
    refused = act(web, draft, "publish").content.decode()
    draft.refresh_from_db()
    assert draft.state == ScriptVersion.State.DRAFT
    assert "errornote" in refused or "error" in refused

    explain(draft)
    tomorrow = timezone.localtime() + timedelta(days=1)
    act(web, draft, "publish", effective_from=f"{tomorrow:%d.%m.%Y %H:%M}")

    draft.refresh_from_db()
    assert draft.state == ScriptVersion.State.PUBLISHED
    assert draft.effective_from is not None
    assert abs(draft.effective_from - tomorrow) < timedelta(minutes=1)


def test_a_moment_that_is_none_publishes_nothing(web: Browser) -> None:
    draft = add(web)
    explain(draft)
    act(web, draft, "publish", effective_from="когда-нибудь")
    draft.refresh_from_db()
    assert draft.state == ScriptVersion.State.DRAFT


def test_a_published_version_is_read_only(web: Browser) -> None:
    first = ScriptVersion.objects.get(number=1)
    page = web.get(reverse("admin:calls_scriptversion_change", args=[first.pk]))
    assert page.status_code == 200
    assert not page.context["has_change_permission"]
    phrase = Phrase.objects.filter(version=first).first()
    assert phrase is not None
    assert web.post(reverse("admin:calls_scriptversion_change", args=[first.pk]), {}).status_code == 403


def test_the_only_version_is_not_withdrawn(web: Browser) -> None:
    first = ScriptVersion.objects.get(number=1)
    act(web, first, "retire")
    first.refresh_from_db()
    assert first.state == ScriptVersion.State.PUBLISHED


def test_a_call_is_looked_at_with_its_evidence(web: Browser) -> None:
    call = CallFactory(wrap_up=True)
    page = web.get(reverse("admin:calls_call_change", args=[call.pk]))
    assert page.status_code == 200
    found = web.get(reverse("admin:calls_call_changelist"), {"q": call.number[-7:]})
    assert found.context["cl"].result_count == 1
