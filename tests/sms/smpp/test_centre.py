"""The process against a centre that is not ours, with a real database: nothing lost, nothing twice.

The centre writes down every submit_sm before it answers, and drops no duplicate: it is the witness.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from hotline.base.heartbeats import age
from sms.actions import expire_leases, queue_message
from sms.models import SmsMessage, SmsPart, SmsReceipt
from tests.sms.factories import MOBILE, person
from tests.sms.smpp.conftest import PATIENCE, Centre, SmppProcess, wait_for

pytestmark = [pytest.mark.smpp, pytest.mark.django_db(transaction=True)]

S = SmsMessage.State
Start = Callable[..., SmppProcess]
CYRILLIC = "Здравствуйте! Заявка №100001 зарегистрирована 😀. " * 9 + "Ваш АСЦ «Рассвет» 😀😀"
GSM = "Price: 100€ {net} [gross] ~5% | a^b \\ " * 10
# A part's edge falls on an escape, and on a surrogate pair.
GSM_EDGE = "a" * 152 + "€" + "b" * 200
UCS2_EDGE = "я" * 66 + "😀" + "ю" * 80


def queue(*texts: str, to: str = MOBILE) -> list[SmsMessage]:
    actor = person(f"o{uuid4().hex[:8]}")
    return [queue_message(action_id=uuid4(), to=to, text=text, actor=actor) for text in texts]


def states() -> Counter[str]:
    return Counter(SmsMessage.objects.values_list("state", flat=True))


def all_are(*wanted: str) -> Callable[[], bool]:
    return lambda: not SmsMessage.objects.exclude(state__in=wanted).exists()


def key_of(submit: dict[str, Any]) -> tuple[Any, ...]:
    """What a part is to a telephone: to whom, of which message, which one, and its text."""
    header = submit["header"][0] if submit["header"] else ""
    return submit["to"], header, submit["text"]


def twice(submits: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [key for key, times in Counter(map(key_of, submits)).items() if times > 1]


def reassembled(submits: list[dict[str, Any]]) -> list[str]:
    """As a telephone does it: by the reference, in the order of the sequence numbers; and none is missing."""
    whole: list[str] = []
    joined: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for submit in submits:
        if not submit["header"]:
            whole.append(submit["text"])
            continue
        [header] = submit["header"]
        assert header[:4] == "0003"
        total, seq = int(header[6:8], 16), int(header[8:10], 16)
        submit["text"].encode()  # no half of a pair
        joined[header[4:8]][seq] = submit["text"]
        assert seq <= total
    for name, parts in joined.items():
        assert sorted(parts) == list(range(1, int(name[2:], 16) + 1))
        whole.append("".join(parts[seq] for seq in sorted(parts)))
    return whole


def connected() -> set[int]:
    """The connections to the test's database: what a killed process had begun is over once its own are gone."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        return {pid for (pid,) in cursor.fetchall()}


def run_out() -> None:
    """Time passes: what nobody settled loses its lease, as the sweep sees it."""
    SmsMessage.objects.filter(state=S.SUBMITTING).update(lease_until=Now() - timedelta(seconds=1))
    expire_leases()


# --- The link -----------------------------------------------------------------------------------------
def test_a_bound_process_beats_and_one_that_is_refused_does_not(centre: Centre, smpp: Start) -> None:
    centre.behave(bind_status=0x0E)
    process = smpp(centre.port)
    wait_for(lambda: "smpp_down" in process.log, process, centre)
    assert age("smpp") is None
    centre.behave()
    wait_for(lambda: age("smpp") is not None, process, centre)


# --- What arrives -----------------------------------------------------------------------------------
def test_texts_arrive_exactly_and_their_receipts_are_matched(centre: Centre, smpp: Start) -> None:
    texts = [CYRILLIC, GSM, GSM_EDGE, UCS2_EDGE, "Hi", "Да"]
    rows = queue(*[text.strip() for text in texts])
    process = smpp(centre.port)
    wait_for(all_are(S.DELIVERED), process, centre)

    submits = centre.submits()
    assert sorted(reassembled(submits)) == sorted(text.strip() for text in texts)
    assert len(submits) == sum(row.segments for row in rows) == SmsPart.objects.count()
    assert {submit["registered"] for submit in submits} == {1}
    assert {(submit["to"], submit["from"], *submit["ton"], *submit["npi"]) for submit in submits} == {
        ("79160000101", "HOTLINE", 5, 1, 0, 1)
    }
    assert {(submit["coding"], submit["esm_class"]) for submit in submits} == {(0, 0), (0, 64), (8, 0), (8, 64)}
    [bind] = centre.events("bind")
    assert (bind["system_id"], bind["password"], bind["version"]) == ("hotline", "geheim", 0x34)
    by_id = dict(SmsPart.objects.values_list("gateway_id", "text"))
    assert by_id == {submit["id"].lstrip("0").lower(): submit["text"] for submit in submits}
    assert {event["status"] for event in centre.events("receipt_answered")} == {0}

    # a clean good-bye
    process.stop()
    assert len(centre.events("unbind")) == 1
    assert "geheim" not in process.log
    assert MOBILE not in process.log


@pytest.mark.parametrize("form", ["text", "option", "both"])
@pytest.mark.parametrize("ids", ["same", "hex-dec"])
def test_receipts_before_the_answer(centre: Centre, smpp: Start, form: str, ids: str) -> None:
    centre.behave(receipt="before", form=form, ids=ids)
    queue(UCS2_EDGE, "Hi")
    process = smpp(centre.port, HOTLINE_SMPP_RECEIPT_IDS=ids)
    wait_for(all_are(S.DELIVERED), process, centre)
    assert SmsReceipt.objects.count() == 4
    assert twice(centre.submits()) == []


@pytest.mark.parametrize("form", ["text", "option"])
def test_receipts_as_data_sm(centre: Centre, smpp: Start, form: str) -> None:
    centre.behave(via="data_sm", form=form)
    queue("Hi")
    process = smpp(centre.port)
    wait_for(all_are(S.DELIVERED), process, centre)
    wait_for(lambda: centre.events("receipt_answered"), process, centre)
    [answered] = centre.events("receipt_answered")
    assert (answered["command"], answered["status"]) == ("data_sm_resp", 0)


@pytest.mark.parametrize(
    ("wanted", "state", "reason"),
    [
        ({"state": "UNDELIV", "err": "011"}, S.UNDELIVERED, "network:011"),
        ({"state": "EXPIRED", "form": "option"}, S.EXPIRED, "network"),
        ({"state": "REJECTD"}, S.REJECTED, "network"),
        ({"status": 0x0B}, S.REJECTED, "invalid_destination"),
        ({"status": 0x08}, S.UNKNOWN, "unclear:0x8"),
    ],
)
def test_what_fails(centre: Centre, smpp: Start, wanted: dict[str, Any], state: str, reason: str) -> None:
    centre.behave(**wanted)
    [row] = queue("Hi")
    process = smpp(centre.port)
    wait_for(all_are(state), process, centre)
    row.refresh_from_db()
    assert (row.reason, len(centre.submits())) == (reason, 1)


def test_the_centre_s_own_requests(centre: Centre, smpp: Start) -> None:
    """A client's answer is acknowledged and ignored; unknown requests are named; an unbind is followed by a bind."""
    centre.behave(on_bind=["incoming", "enquire_link", "unknown", "unbind"])
    process = smpp(centre.port)
    wait_for(lambda: centre.events("unbind_answered"), process, centre)
    centre.behave()
    queue("Hi")
    wait_for(all_are(S.DELIVERED), process, centre)
    assert centre.events("incoming_answered")[0]["status"] == 0
    assert centre.events("enquire_link_answered")[0]["status"] == 0
    assert [(each["command"], each["status"]) for each in centre.events("unknown_answered")][:1] == [
        ("generic_nack", 3)
    ]
    assert "smpp_incoming_ignored" in process.log
    assert "Anna" not in process.log
    assert SmsReceipt.objects.count() == 1


# --- The centre is full -----------------------------------------------------------------------------
@pytest.mark.parametrize("status", [0x58, 0x14])
def test_only_the_parts_that_were_not_taken_are_sent_again_under_the_same_reference(
    centre: Centre, smpp: Start, status: int
) -> None:
    centre.behave(statuses=[0, status, 0, status, status, 0])
    [row] = queue("я" * 67 * 4)
    process = smpp(centre.port, HOTLINE_SMPP_WINDOW="1")
    wait_for(all_are(S.DELIVERED), process, centre)
    submits = centre.submits()
    assert reassembled(centre.taken()) == [row.text]
    assert twice(centre.taken()) == []
    assert len({submit["header"][0][:8] for submit in submits}) == 1
    seqs = [(submit["header"][0][8:], submit["status"]) for submit in submits]
    taken = [seq for seq, answered in seqs if answered == 0]
    assert (sorted(taken), len(seqs)) == (["01", "02", "03", "04"], 7)
    row.refresh_from_db()
    assert row.attempts >= 2


def test_a_flood_against_a_centre_that_is_often_full(centre: Centre, smpp: Start) -> None:
    statuses = [0x58 if number % 7 == 3 else 0x14 if number % 11 == 5 else 0 for number in range(60)]
    centre.behave(statuses=statuses, delay=20)
    rows = queue(*[f"Text {number}" for number in range(50)])
    process = smpp(centre.port)
    wait_for(all_are(S.DELIVERED), process, centre)
    assert sorted(submit["text"] for submit in centre.taken()) == sorted(row.text for row in rows)


# --- The link ---------------------------------------------------------------------------------------
def test_the_link_is_cut_in_the_middle_of_windows(centre: Centre, smpp: Start) -> None:
    """Nothing lost, nothing twice: what was written and not answered is unknown, all the rest arrives."""
    centre.behave(delay=100, cut_at=[12, 30, 31])
    rows = queue(*[f"Text {number}" for number in range(60)])
    process = smpp(centre.port, HOTLINE_SMPP_WINDOW="5")
    wait_for(all_are(S.DELIVERED, S.UNKNOWN), process, centre)
    assert len(centre.events("bind")) >= 3
    assert twice(centre.submits()) == []
    arrived = {submit["text"] for submit in centre.submits()}
    unknown = set(SmsMessage.objects.filter(state=S.UNKNOWN).values_list("text", flat=True))
    assert unknown
    assert len(unknown) <= 3 * 5
    assert {row.text for row in rows} - arrived <= unknown
    assert set(SmsMessage.objects.filter(state=S.UNKNOWN).values_list("reason", flat=True)) == {"link_lost"}


def test_a_centre_that_goes_and_comes_back(centre: Centre, smpp: Start) -> None:
    """Receipts that it could not bring come after the new bind; what is queued meanwhile is sent then."""
    process = smpp(centre.port)
    queue("One")
    wait_for(all_are(S.DELIVERED), process, centre)
    centre.kill()
    wait_for(lambda: "smpp_link_lost" in process.log, process)
    [row] = queue("Two")
    wait_for(lambda: "smpp_down" in process.log, process)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (S.QUEUED, 0)
    centre.start()
    wait_for(all_are(S.DELIVERED), process, centre)
    assert [submit["text"] for submit in centre.submits()] == ["One", "Two"]


def test_what_is_in_flight_when_the_centre_unbinds_is_not_uncertain(centre: Centre, smpp: Start) -> None:
    """Its answers come after its unbind, our unbind_resp after them; the receipts come with the next bind."""
    centre.behave(on_bind=["unbind"], delay=2000)
    rows = queue(*[f"Text {number}" for number in range(5)])
    process = smpp(centre.port)
    wait_for(lambda: centre.events("unbind_answered"), process, centre)
    centre.behave()
    wait_for(all_are(S.DELIVERED), process, centre)
    assert len(centre.submits()) == len(rows)


def test_a_centre_that_binds_and_takes_nothing_is_asked_ever_more_seldom(centre: Centre, smpp: Start) -> None:
    centre.behave(status=0x04, delay=100)
    queue(*[f"Text {number}" for number in range(20)])
    process = smpp(centre.port, HOTLINE_SMPP_WINDOW="2")
    wait_for(lambda: len(centre.events("bind")) >= 4, process, centre)
    binds = [event["at"] for event in centre.events("bind")]
    assert binds[3] - binds[2] > 1900  # milliseconds: half of the third pause, at least
    assert states().keys() <= {S.QUEUED, S.SUBMITTING}
    centre.behave()
    wait_for(all_are(S.DELIVERED), process, centre)
    assert twice(centre.taken()) == []


def test_a_centre_that_takes_and_never_answers_gets_one_window_and_then_one_part_a_link(
    centre: Centre, smpp: Start
) -> None:
    centre.behave(silent=True)
    queue(*[f"Text {number}" for number in range(20)])
    process = smpp(centre.port, HOTLINE_SMPP_WINDOW="4", HOTLINE_SMS_TIMEOUT="1")
    wait_for(lambda: len(centre.events("bind")) >= 4, process, centre)
    first, *later = Counter(event["session"] for event in centre.submits()).values()
    assert first <= 4
    assert set(later) == {1}
    centre.behave()
    wait_for(all_are(S.DELIVERED, S.UNKNOWN), process, centre)
    assert twice(centre.submits()) == []


@pytest.mark.parametrize(("status", "said"), [(0x0D, "RBINDFAIL"), (0x0E, "RINVPASWD")])
def test_a_bind_that_is_refused_claims_nothing(centre: Centre, smpp: Start, status: int, said: str) -> None:
    centre.behave(bind_status=status)
    [row] = queue("Hi")
    process = smpp(centre.port)
    wait_for(lambda: len(centre.events("bind")) >= 2, process, centre)
    row.refresh_from_db()
    assert (row.state, row.attempts, centre.submits()) == (S.QUEUED, 0, [])
    assert f"bind:{said}" in process.log
    centre.behave()
    wait_for(all_are(S.DELIVERED), process, centre)


def test_silence_is_asked_about(centre: Centre, smpp: Start) -> None:
    process = smpp(centre.port, "--silence", "0.3", HOTLINE_SMS_TIMEOUT="5")
    wait_for(lambda: len(centre.events("enquire_link")) >= 3, process, centre)
    assert len(centre.events("bind")) == 1
    centre.behave(deaf=True)
    wait_for(lambda: len(centre.events("bind")) >= 2, process, centre)
    assert "no_answer_to_enquire_link" in process.log


def test_tls_is_verified(node_modules: Path, tmp_path: Path, smpp: Start) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    centre = Centre(node_modules, tmp_path, key, certificate)
    try:
        centre.start()
        [row] = queue("Hi")
        stranger = smpp(centre.port, HOTLINE_SMPP_TLS="1")
        wait_for(lambda: "no_connection:SSLCertVerificationError" in stranger.log, stranger)
        row.refresh_from_db()
        assert (row.state, centre.events("bind")) == (S.QUEUED, [])
        stranger.stop()
        process = smpp(centre.port, HOTLINE_SMPP_TLS="1", SSL_CERT_FILE=str(certificate))
        wait_for(all_are(S.DELIVERED), process, centre)
    finally:
        centre.kill()


# --- Processes --------------------------------------------------------------------------------------
def test_two_at_once(centre: Centre, smpp: Start) -> None:
    centre.behave(delay=30)
    processes = [smpp(centre.port) for _ in range(2)]
    wait_for(lambda: len(centre.events("bind")) == 2, *processes, centre)
    texts = [f"Text {number} " + "я" * (number % 3 * 60) for number in range(60)]
    rows = queue(*[text.strip() for text in texts])
    wait_for(all_are(S.DELIVERED), *processes, centre)
    assert twice(centre.submits()) == []
    assert sorted(reassembled(centre.submits())) == sorted(row.text for row in rows)
    assert len(Counter(submit["session"] for submit in centre.submits())) == 2


def test_sigkill_in_the_middle_and_then_sigterm(centre: Centre, smpp: Start) -> None:
    """None twice, none lost: after a SIGKILL only what it had claimed is uncertain, after a SIGTERM nothing is."""
    window, ahead = 5, 5
    centre.behave(delay=200)
    texts = [f"Text {number} " + "я" * (number % 3 * 60) for number in range(150)]
    rows = queue(*[text.strip() for text in texts])
    before = connected()  # tests of this process may have left some
    killed = smpp(centre.port, HOTLINE_SMPP_WINDOW=str(window))
    wait_for(lambda: len(centre.submits()) >= 40, killed, centre)
    killed.kill()
    wait_for(lambda: connected() <= before)
    in_hand = SmsPart.objects.filter(state=S.SUBMITTING).count()
    assert 1 <= in_hand <= window + ahead + 2
    run_out()
    unknown = set(SmsMessage.objects.filter(state=S.UNKNOWN).values_list("pk", flat=True))

    stopped = smpp(centre.port, HOTLINE_SMPP_WINDOW=str(window))
    known = len(centre.submits())
    wait_for(lambda: len(centre.submits()) >= known + 40, stopped, centre)
    assert stopped.process is not None
    stopped.process.send_signal(signal.SIGTERM)
    assert stopped.process.wait(PATIENCE) == 0
    assert len(centre.events("unbind")) == 1
    assert len(centre.submits()) < sum(row.segments for row in rows), "it came too late to show anything"
    assert SmsPart.objects.filter(state=S.SUBMITTING).count() == 0
    assert set(SmsMessage.objects.filter(state=S.UNKNOWN).values_list("pk", flat=True)) == unknown

    last = smpp(centre.port, HOTLINE_SMPP_WINDOW=str(window))
    wait_for(all_are(S.DELIVERED, S.UNKNOWN), last, centre)
    assert twice(centre.submits()) == []
    # All but the uncertain ones arrived whole.
    arrived = {submit["text"] for submit in centre.submits()}
    for row in SmsMessage.objects.filter(state=S.DELIVERED):
        assert {part.text for part in row.parts.all()} <= arrived
    assert set(SmsMessage.objects.filter(state=S.UNKNOWN).values_list("pk", flat=True)) == unknown
    assert len(unknown) <= in_hand


def test_a_receipt_is_answered_only_after_it_was_written_down(centre: Centre, smpp: Start) -> None:
    """The table is locked: no answer. The process is killed: the centre brings the receipt again, to the next one."""
    from django.db import connection, transaction

    centre.behave(receipt="after", delay=300)
    queue("Hi")
    before = connected()
    process = smpp(centre.port)
    wait_for(lambda: centre.submits(), process, centre)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE sms_smsreceipt IN ACCESS EXCLUSIVE MODE")
        wait_for(lambda: centre.events("receipt"), process, centre)
        time.sleep(1)
        assert centre.events("receipt_answered") == []
        process.kill()
    wait_for(lambda: connected() <= before)
    run_out()
    again = smpp(centre.port)
    wait_for(lambda: centre.events("receipt_answered"), again, centre)
    assert len(centre.events("receipt")) == 2
    assert len(centre.submits()) == 1


def test_the_database_goes_away_and_comes_back(centre: Centre, smpp: Start) -> None:
    """Every connection of the process is cut, again and again: it goes on, and nothing is sent twice."""
    from django.db import connection

    centre.behave(delay=50)
    rows = queue(*[f"Text {number}" for number in range(100)])
    process = smpp(centre.port)
    for wanted in (10, 30, 50, 70):
        wait_for(lambda: len(centre.submits()) >= wanted, process, centre)  # noqa: B023
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    wait_for(lambda: len(centre.submits()) >= 90, process, centre)
    wait_for(lambda: not SmsMessage.objects.filter(state=S.QUEUED).exists(), process, centre)
    time.sleep(2)  # for what was answered; the rest, if any, has lost its claim
    run_out()
    wait_for(lambda: all_are(S.DELIVERED, S.UNKNOWN, S.ACCEPTED)(), process, centre)
    assert twice(centre.submits()) == []
    wait_for(lambda: states()[S.DELIVERED] >= 90, process, centre)
    assert sum(states().values()) == len(rows)


def test_idle_it_asks_the_database_seldom(centre: Centre, smpp: Start) -> None:
    process = smpp(centre.port)
    queue("Hi")
    wait_for(all_are(S.DELIVERED), process, centre)
    assert process.process is not None
    ticks = lambda: sum(map(int, Path(f"/proc/{process.pid}/stat").read_text().split()[13:15]))  # noqa: E731
    time.sleep(1)
    before = ticks()
    time.sleep(3)
    assert (ticks() - before) / 100 < 0.3  # seconds of processor time in three


def test_it_refuses_to_run_for_nothing(tmp_path: Path, smpp: Start) -> None:
    process = smpp(1, HOTLINE_SMS_GATEWAYS="development")
    assert process.process is not None
    assert process.process.wait(PATIENCE) == 1
    assert "HOTLINE_SMS_GATEWAYS does not name smpp" in process.log
