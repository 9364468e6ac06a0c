"""A hotline small enough for one test: an operator at telephone 101, an exchange, a client, a service centre, SMS."""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.utils import timezone
from playwright.sync_api import BrowserContext, Locator, Page, expect

import calls.reference
import sms.reference
import tickets.reference
from calls.actions import acknowledge_version
from calls.models import Call
from calls.script import version_in_force
from hotline.operators import actions as operators
from hotline.operators.models import ApiToken, User
from service_centers.models import (
    Brand,
    Category,
    City,
    ServiceCenter,
    ServiceCenterHours,
    ServiceCenterPhone,
    ServiceCenterSkill,
    WorkKind,
)
from tests.factories import AccountFactory, ApplianceFactory, ClientFactory, ProductModelFactory, UserFactory
from tests.helpers import free_port
from tests.servers import Server, WebServer, worker_server
from tickets.models import Appeal, Client, DateSource, WarrantyRule

NUMBER = "+79161234567"
# Longer than any answer takes on two busy cores (milliseconds).
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


@dataclass
class Exchange:
    """A telephone exchange that talks to the hotline as a real one does: over HTTP, with its token in the address."""

    url: str
    calls: int = 0

    def send(self, **payload: str) -> None:
        body = json.dumps(payload).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            assert answer.status == 200

    def ring(self, number: str = NUMBER) -> str:
        """An incoming call; returns its id."""
        self.calls += 1
        call = f"call-{self.calls}-{uuid4().hex[:6]}"
        self.send(event="newCall", callId=call, **{"from": number}, to="+78005553535", direction="in", user="101")
        return call

    def answer(self, call: str, *, direction: str = "in", number: str = NUMBER) -> None:
        parties = {"from": number, "to": "+78005553535"} if direction == "in" else {"from": "101", "to": number}
        self.send(event="answer", callId=call, user="101", answeringNumber="101", direction=direction, **parties)

    def dial(self, number: str = NUMBER) -> str:
        """An outgoing call from telephone 101."""
        self.calls += 1
        call = f"call-{self.calls}-{uuid4().hex[:6]}"
        self.send(event="newCall", callId=call, **{"from": "101"}, to=number, direction="out", user="101")
        return call

    def hang_up(self, call: str, *, cause: str = "normalClearing", direction: str = "in") -> None:
        self.send(event="hangup", callId=call, cause=cause, direction=direction, **{"from": NUMBER}, to="101")


@dataclass
class Keyboard:
    """Counts what the issue counts: Tab, arrows, Enter and shortcuts; characters typed into a field do not."""

    page: Page
    presses: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        # A page that is seen may not have run its scripts yet; they have before this event.
        self.page.wait_for_load_state("domcontentloaded")
        for key in keys:
            self.presses.append(key)
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def reach(self, selector: str) -> None:
        """Tab until the focus is there."""
        for _ in range(80):
            if self.page.locator(f"{selector}:focus").count():
                return
            self.press("Tab")
        raise AssertionError(f"Tab never comes to {selector}")


@dataclass
class Hotline:
    """The page of the operator, and what surrounds it."""

    page: Page
    server: WebServer
    operator: User
    client: Client
    center: ServiceCenter
    city: City
    exchange: Exchange
    keys: Keyboard

    # --- What the test sees ---------------------------------------------------------------------------------------
    @property
    def work(self) -> Locator:
        """The middle column."""
        return self.page.locator("#call-work")

    @property
    def strip(self) -> Locator:
        return self.page.locator("#call-strip")

    def call(self) -> Call:
        return Call.objects.latest("pk")

    def appeal(self) -> Appeal:
        return Appeal.objects.latest("pk")

    def sees(self, text: str) -> None:
        """Wait until the page says so."""
        expect(self.page.locator("main")).to_contain_text(text)

    def at(self, stage: str) -> None:
        """Wait until the workspace has come to a stage, and its keys work."""
        expect(self.page.locator("#call-stage")).to_have_value(stage)
        expect(self.page.locator(".stage[aria-current=step]")).to_have_count(1)
        expect(self.page.locator(f".stage[aria-current=step] #stage-{stage}")).to_be_attached()
        self.settle()

    def settle(self) -> None:
        """Wait until htmx has nothing under way."""
        under_way = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"
        expect(self.page.locator(under_way)).to_have_count(0)

    def focused(self, selector: str) -> None:
        """Wait until the focus is where the page was to put it."""
        expect(self.page.locator(selector)).to_be_focused()

    def kept(self, form: str, version: int | None = None) -> None:
        """Wait until what was typed is saved at the server, as this version of the draft where that is known."""
        wanted = str(version) if version is not None else re.compile("[1-9]")
        expect(self.page.locator(f"#{form}")).to_have_attribute("data-draft-version", wanted)
        expect(self.page.locator(f"[data-draft-state={form}]")).to_have_attribute("data-state", "saved")

    def is_closed(self) -> None:
        """Wait until the page says that the call is closed."""
        expect(self.page.locator("#call-strip.is-closed")).to_be_visible()

    # --- What is done at every call -------------------------------------------------------------------------------
    def take_a_call(self, number: str = NUMBER) -> str:
        """The telephone rings and is answered: the page pops up, then goes to the workspace by itself."""
        line = self.exchange.ring(number)
        expect(self.page.locator("#incoming .incoming")).to_be_visible()
        self.exchange.answer(line, number=number)
        self.page.wait_for_url("**/calls/*/**")
        self.at("greeting")
        return line

    def greet(self) -> None:
        self.sees("Здравствуйте, меня зовут Анна, чем могу помочь?")
        self.keys.press("Control+Enter")
        self.at("identification")

    def open_the_card(self) -> None:
        """The only card with this number has the focus."""
        self.focused(f"#card-{self.client.pk}")
        self.keys.press("Enter")
        self.at("history")

    def diagnose(self, words: str) -> None:
        """From the history to the diagnosis of her only appliance, which has the focus."""
        self.keys.press("Control+Enter")
        self.at("diagnosis")
        self.focused(".appliance >> nth=0")
        self.keys.press("Enter")
        self.focused("#id_description")
        self.keys.type(words)

    def register_a_repair(self, words: str) -> Appeal:
        """From the history to the registered request: everything but her words is known already."""
        self.diagnose(words)
        self.keys.press("Control+Enter")
        self.at("registration")
        expect(self.page.locator("#centers .candidate.is-selected")).to_contain_text(self.center.name)
        expect(self.page.locator("#missing-items .text-ok")).to_be_visible()
        self.keys.press("Control+Enter")
        self.at("sms")
        return self.appeal()

    def say_goodbye(self) -> None:
        self.focused("#stage-done")
        self.keys.press("Control+Enter")
        self.at("wrap_up")

    def close(self) -> None:
        self.keys.press("Control+Enter")
        self.is_closed()


@pytest.fixture(autouse=True)
def no_script_fails(context: BrowserContext) -> Iterator[None]:
    """Whatever a test looks at: an error of a script on any of its pages fails it."""
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(error.error.stack or str(error.error)))
    yield
    assert complaints == []


@pytest.fixture
def hotline(page: Page, asgi_server: WebServer) -> Hotline:
    page.set_default_timeout(PATIENCE)
    for room in (sms.reference, tickets.reference, calls.reference):
        room.load()
    city = City.objects.create(
        name="Орёл", region="Орловская область", latitude=52.97, longitude=36.07, timezone="Europe/Moscow"
    )
    brand, category = Brand.objects.create(name="Vestra"), Category.objects.create(name="Стиральные машины")
    center = ServiceCenter.objects.create(code="A-1", name="АСЦ «Орёл-Сервис»", city=city, address="ул. Ленина, 1")
    ServiceCenterPhone.objects.create(service_center=center, number="+7 (4862) 00-12-34")
    for day in range(1, 8):
        ServiceCenterHours.objects.create(service_center=center, weekday=day, opens_at=time(9), closes_at=time(18))
    for work in WorkKind.values:
        ServiceCenterSkill.objects.create(service_center=center, brand=brand, category=category, work=work)
    WarrantyRule.objects.create(brand=brand, months=24, valid_from=date(2019, 1, 1))
    model = ProductModelFactory(brand=brand, category=category, name="WM-712 Inox")
    client = ClientFactory(
        last_name="Ёлкина-Берёзовская", first_name="Алёна", middle_name="Петровна", city=city, account=False,
        phones=["8 (916) 123-45-67"],
    )  # fmt: skip
    ApplianceFactory(
        account=AccountFactory(client=client), product_model=model, model_text="Vestra WM-712 Inox", brand=brand,
        category=category, purchase_date=timezone.localdate() - timedelta(days=200),
        purchase_date_source=DateSource.RECEIPT, store="Техномир", city=city,
    )  # fmt: skip
    operator = UserFactory(first_name="Анна", last_name="Смирнова", extension="101", state=User.State.READY)
    version = version_in_force()
    assert version is not None
    acknowledge_version(version_id=version.pk, actor=operator)
    supervisor, machine = UserFactory(supervisor=True), UserFactory(integration=True)
    _, token = operators.issue_token(
        user=machine, name="exchange", scopes=[ApiToken.Scope.TELEPHONY],
        expires_at=timezone.now() + timedelta(days=1), actor=supervisor,
    )  # fmt: skip
    sign_in(page, asgi_server, operator)
    keys = Keyboard(page)
    page.on("load", lambda loaded: keys.loads.append(loaded.url))
    exchange = Exchange(f"{asgi_server.url}/api/v1/telephony/events/generic/{token}/")
    return Hotline(page, asgi_server, operator, client, center, city, exchange, keys)


def sign_in(page: Page, server: WebServer, person: User) -> None:
    """Open the start page as somebody, and wait until it hears the live stream."""
    browser = Browser()
    browser.force_login(person, backend="hotline.operators.backends.RoleBackend")
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server.url}])
    page.goto(f"{server.url}/")
    expect(page.locator("[data-stream-state]").first).to_have_attribute("data-state", "on")


@pytest.fixture
def sms_delivery(tmp_path: Path, hotline: Hotline) -> Iterator[Server]:
    """The development gateway and a worker that hands messages over to it."""
    port = free_port()
    gateway = Server(
        [sys.executable, "-m", "sms.gateways.development_server"]
        + ["--port", str(port), "--log", str(tmp_path / "sent.jsonl")],
        {},
        tmp_path / "gateway.log",
    )
    worker = worker_server(
        settings.DATABASES["default"], tmp_path,
        *["--beat", "--schedule", str(tmp_path / "beat"), "--concurrency", "1"],
        *["--without-gossip", "--without-mingle"],
        HOTLINE_SMS_GATEWAYS="development", HOTLINE_SMS_DEVELOPMENT_URL=f"http://127.0.0.1:{port}",
    )  # fmt: skip
    try:
        gateway.start()
        worker.start()
        yield worker
    finally:
        worker.stop()
        gateway.stop()
