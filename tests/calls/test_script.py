"""The script: versions are drafted, published, frozen (S1), kept by calls (S2), read by operators (S3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from calls import reference
from calls.actions.script import (
    acknowledge_version,
    draft_version,
    placeholder_problem,
    publish_version,
    retire_version,
)
from calls.models import (
    Call,
    CallResult,
    Phrase,
    Script,
    ScriptAcknowledgement,
    ScriptChange,
    ScriptVersion,
    StageCode,
)
from calls.script import Names, owed_acknowledgements, script_for, version_in_force, who_has_not_acknowledged
from hotline.base.actions import constraint_of
from hotline.base.errors import Forbidden, Invalid, Refused
from hotline.operators.models import Role, User
from tests.helpers import race

NAMES = Names(operator="Анна", operator_full="Анна Сергеевна Белова", client="Мария Ивановна")


@dataclass
class Verdict:
    allowed: bool
    text: str = "почему нет"


@pytest.fixture
def script(db: None) -> Script:
    reference.load()
    return Script.objects.get()


@pytest.fixture
def supervisor(db: None) -> User:
    return User.objects.create_user("s-supervisor", role=Role.SUPERVISOR)


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_user("s-operator", role=Role.OPERATOR)


def next_version(script: Script, supervisor: User) -> ScriptVersion:
    version = draft_version(script_id=script.pk, actor=supervisor)
    ScriptChange.objects.create(
        script=script, version=version, date=timezone.localdate(), author="Супервайзер", what="…", ground="goal"
    )
    return version


# --- The first version ----------------------------------------------------------------------------


def test_the_first_version_is_the_regulation_word_for_word(script: Script) -> None:
    version = script.versions.get()
    said = set(version.phrases.filter(kind=Phrase.Kind.SPOKEN).values_list("stage__code", "condition", "text"))

    assert version.state == ScriptVersion.State.PUBLISHED
    assert list(version.stages.values_list("code", flat=True)) == StageCode.values
    assert ("greeting", "incoming", "Здравствуйте, меня зовут {operator}, чем могу помочь?") in said
    assert ("summary", "question", "Остались ли у вас дополнительные вопросы?") in said
    farewell = "По окончании разговора, пожалуйста, оцените мою консультацию. Всего доброго!"
    assert ("farewell", "farewell", farewell) in said
    reminder = Phrase.objects.filter(kind=Phrase.Kind.REMINDER, text="Не забудь зафиксировать консультацию!")
    assert set(reminder.values_list("stage__code", flat=True)) == {"registration", "wrap_up"}
    assert version.phrases.filter(kind=Phrase.Kind.VOICE).count() == 3
    assert version.phrases.filter(kind=Phrase.Kind.OBJECTION).exclude(trigger_text="").count() >= 12
    assert [f"{day:%d.%m.%Y}" for day in script.changes.values_list("date", flat=True).order_by("date", "pk")] == [
        "08.04.2024",
        "28.02.2025",
        "04.03.2025",
        "06.03.2025",
        "06.03.2025",
        "03.04.2025",
        "07.05.2025",
        "11.07.2025",
    ]


def test_reference_data_loads_twice_and_leaves_what_was_changed(script: Script) -> None:
    CallResult.objects.filter(code="consulted").update(name="Проконсультирован")
    before = (CallResult.objects.count(), Phrase.objects.count(), ScriptChange.objects.count())

    reference.load()

    assert (CallResult.objects.count(), Phrase.objects.count(), ScriptChange.objects.count()) == before
    assert CallResult.objects.get(code="consulted").name == "Проконсультирован"


# --- S1: drafted, published, frozen ---------------------------------------------------------------


def test_a_draft_is_a_copy_of_the_newest_version(script: Script, supervisor: User) -> None:
    first = script.versions.get()

    draft = draft_version(script_id=script.pk, actor=supervisor)

    def content(version: ScriptVersion) -> list[tuple[Any, ...]]:
        fields = ("stage__code", "kind", "condition", "trigger_text", "text", "is_mandatory", "position")
        return list(version.phrases.values_list(*fields))

    assert (draft.number, draft.state) == (2, ScriptVersion.State.DRAFT)
    assert content(draft) == content(first)
    with pytest.raises(Refused) as refused:
        draft_version(script_id=script.pk, actor=supervisor)
    assert refused.value.code == "draft_exists"


def test_a_published_version_takes_effect_at_its_time(script: Script, supervisor: User) -> None:
    first, draft = script.versions.get(), next_version(script, supervisor)
    tomorrow = timezone.now() + timedelta(days=1)

    publish_version(version_id=draft.pk, effective_from=tomorrow, actor=supervisor)

    assert version_in_force() == first
    assert version_in_force(tomorrow) == draft
    draft.refresh_from_db()
    assert draft.published_by == supervisor


def test_what_is_published_is_never_edited(script: Script) -> None:
    phrase = script.versions.get().phrases.first()
    assert phrase is not None
    phrase.text = "Алло"
    with pytest.raises(IntegrityError) as error:
        phrase.save()
    assert constraint_of(error.value) == "calls_phrase_published_frozen"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda version: version.changes.all().delete(), "no_change_entry"),
        (lambda version: version.stages.filter(code="history").delete(), "incomplete"),
        (lambda version: version.phrases.filter(condition="outgoing").delete(), "incomplete"),
        (lambda version: version.phrases.filter(kind="objection").update(trigger_text=""), "incomplete"),
        (lambda version: version.phrases.filter(condition="question").update(text="{name}, ещё?"), "placeholder"),
    ],
)
def test_a_draft_with_a_gap_is_not_published(
    script: Script, supervisor: User, spoil: Callable[[ScriptVersion], Any], code: str
) -> None:
    draft = next_version(script, supervisor)
    spoil(draft)

    with pytest.raises((Refused, Invalid)) as refused:
        publish_version(version_id=draft.pk, effective_from=timezone.now(), actor=supervisor)

    assert refused.value.code == code
    draft.refresh_from_db()
    assert draft.state == ScriptVersion.State.DRAFT


def test_a_version_takes_no_effect_in_the_past(script: Script, supervisor: User) -> None:
    draft = next_version(script, supervisor)
    with pytest.raises(Invalid) as invalid:
        publish_version(version_id=draft.pk, effective_from=timezone.now() - timedelta(hours=1), actor=supervisor)
    assert (invalid.value.code, invalid.value.field) == ("effective_in_past", "effective_from")


def test_publishing_twice_is_refused(script: Script, supervisor: User) -> None:
    with pytest.raises(Refused) as refused:
        publish_version(version_id=script.versions.get().pk, effective_from=timezone.now(), actor=supervisor)
    assert refused.value.code == "not_a_draft"


def test_a_withdrawn_version_gives_way_to_the_one_before(script: Script, supervisor: User) -> None:
    first, draft = script.versions.get(), next_version(script, supervisor)
    publish_version(version_id=draft.pk, effective_from=timezone.now(), actor=supervisor)

    retire_version(version_id=draft.pk, actor=supervisor)

    assert version_in_force() == first
    with pytest.raises(Refused) as refused:
        retire_version(version_id=first.pk, actor=supervisor)
    assert refused.value.code == "last_version"


def test_only_supervisors_change_the_script(script: Script, operator: User) -> None:
    version = script.versions.get()
    for attempt in (
        lambda: draft_version(script_id=script.pk, actor=operator),
        lambda: publish_version(version_id=version.pk, effective_from=timezone.now(), actor=operator),
        lambda: retire_version(version_id=version.pk, actor=operator),
    ):
        with pytest.raises(Forbidden):
            attempt()


@pytest.mark.django_db(transaction=True)
def test_a_phrase_does_not_slip_into_a_version_that_is_being_published() -> None:
    """Two real connections: whoever is second waits for the first, and then the phrase is in before, or refused."""
    for _ in range(5):
        reference.load()
        script = Script.objects.get()
        supervisor, _created = User.objects.get_or_create(username="s-race", role=Role.SUPERVISOR)
        draft = next_version(script, supervisor)
        before = draft.phrases.count()

        def publish(pk: int = draft.pk, actor: User = supervisor) -> ScriptVersion:
            return publish_version(version_id=pk, effective_from=timezone.now(), actor=actor)

        def slip_in(pk: int = draft.pk) -> Phrase:
            return Phrase.objects.create(version_id=pk, kind=Phrase.Kind.VOICE, text="Опоздавшая фраза")

        published, late = race(publish, slip_in)

        assert isinstance(published, ScriptVersion)
        if isinstance(late, IntegrityError):
            assert constraint_of(late) == "calls_phrase_published_frozen"
            assert draft.phrases.count() == before
        else:
            assert isinstance(late, Phrase)
            assert draft.phrases.count() == before + 1


@pytest.mark.django_db(transaction=True)
def test_two_supervisors_begin_one_draft() -> None:
    reference.load()
    script = Script.objects.get()
    supervisor = User.objects.create_user("s-race", role=Role.SUPERVISOR)

    def begin() -> ScriptVersion:
        return draft_version(script_id=script.pk, actor=supervisor)

    results = race(begin, begin)

    assert sorted(type(result).__name__ for result in results) == ["Refused", "ScriptVersion"]
    assert script.versions.count() == 2


# --- S3: read by operators ------------------------------------------------------------------------


def test_a_version_is_acknowledged_once(script: Script, operator: User) -> None:
    version = script.versions.get()
    assert list(owed_acknowledgements(operator)) == [version]
    assert list(who_has_not_acknowledged(version)) == [operator]

    first = acknowledge_version(version_id=version.pk, actor=operator)
    again = acknowledge_version(version_id=version.pk, actor=operator)

    assert first == again
    assert ScriptAcknowledgement.objects.count() == 1
    assert list(owed_acknowledgements(operator)) == []
    assert list(who_has_not_acknowledged(version)) == []


def test_a_version_may_be_read_before_it_takes_effect(script: Script, supervisor: User, operator: User) -> None:
    draft = next_version(script, supervisor)
    with pytest.raises(Refused):
        acknowledge_version(version_id=draft.pk, actor=operator)
    publish_version(version_id=draft.pk, effective_from=timezone.now() + timedelta(days=1), actor=supervisor)

    assert [version.number for version in owed_acknowledgements(operator)] == [1, 2]


def test_a_replaced_version_is_nobodys_duty(script: Script, supervisor: User, operator: User) -> None:
    draft = next_version(script, supervisor)
    publish_version(version_id=draft.pk, effective_from=timezone.now(), actor=supervisor)
    assert [version.number for version in owed_acknowledgements(operator)] == [2]


def test_a_supervisor_acknowledges_nothing(script: Script, supervisor: User) -> None:
    with pytest.raises(Forbidden):
        acknowledge_version(version_id=script.versions.get().pk, actor=supervisor)


# --- What is said now -----------------------------------------------------------------------------


def make_call(script: Script, direction: str = "in") -> Call:
    return Call(direction=direction, script_version=script.versions.get())


def test_names_are_put_in(script: Script) -> None:
    stage = script_for(make_call(script), names=NAMES, verdicts={}).stage("greeting")
    assert [said.text for said in stage.say] == ["Здравствуйте, меня зовут Анна, чем могу помочь?"]
    assert stage.say[0].html == 'Здравствуйте, меня зовут <span class="slot">Анна</span>, чем могу помочь?'


def test_an_outgoing_call_has_its_own_greeting(script: Script) -> None:
    stage = script_for(make_call(script, "out"), names=NAMES, verdicts={}).stage("greeting")
    assert len(stage.say) == 1
    assert "Перезваниваю вам" in stage.say[0].text


def test_a_phrase_that_must_not_be_said_is_muted_with_the_reason(script: Script) -> None:
    verdicts = {"question": Verdict(False, "Разговор завершает клиент"), "farewell": Verdict(True)}
    found = script_for(make_call(script), names=NAMES, verdicts=verdicts)

    assert found.stage("summary").say == []
    assert [muted.reason for muted in found.stage("summary").muted] == ["Разговор завершает клиент"]
    assert len(found.stage("farewell").say) == 1


def test_a_condition_without_a_verdict_is_not_shown(script: Script) -> None:
    found = script_for(make_call(script), names=NAMES, verdicts={"sms_sent": Verdict(True)}).stage("sms")
    assert [said.text for said in found.say] == ["Данные заявки и контакты сервисного центра отправлены вам в СМС."]
    assert found.muted == []


@pytest.mark.parametrize(
    ("text", "client", "expected"),
    [
        ("{client}, одну минуту", "Мария Ивановна", "Мария Ивановна, одну минуту"),
        ("{client}, одну минуту", "", "Одну минуту"),
        ("Спасибо, {client}!", "", "Спасибо!"),
        ("Я {operator}, {client}, да", "", "Я Анна, да"),
        ("{other} {operator}", "", "{other} Анна"),
    ],
)
def test_a_name_that_is_not_known_leaves_no_gap(text: str, client: str, expected: str) -> None:
    assert Names("Анна", "Анна Белова", client).put_into(text)[0] == expected


def test_names_are_escaped() -> None:
    html = Names("<b>Анна</b>", "", "").put_into("Я {operator} & сын")[1]
    assert html == 'Я <span class="slot">&lt;b&gt;Анна&lt;/b&gt;</span> &amp; сын'


@pytest.mark.parametrize(
    ("text", "is_fine"),
    [("{operator} и {client}", True), ("{operator_full}", True), ("{name}", False), ("{", False), ("{0}", False)],
)
def test_placeholders_are_a_closed_list(text: str, is_fine: bool) -> None:
    assert (placeholder_problem(text) == "") is is_fine


def test_the_whole_script_costs_two_queries(script: Script, django_assert_num_queries: Any) -> None:
    call = make_call(script)
    with django_assert_num_queries(2):
        script_for(call, names=NAMES, verdicts={})
