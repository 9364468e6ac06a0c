"""What an SMS template becomes with a real appeal, while it is typed. `sms` knows no appeals, so it is asked here."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.generic import View

from hotline.base.errors import HotlineError
from hotline.operators.access import SUPERVISORS, RoleRequired
from hotline.operators.models import Role
from service_centers.contacts import contacts
from sms import placeholders, segments, templating
from sms.actions.messages import MAX_SEGMENTS
from sms.placeholders import PLACEHOLDERS
from tickets.actions.messages import center_of, values_of
from tickets.models import Appeal
from tickets.views.base import staff


class PreviewView(RoleRequired, View):
    """POST `text`, and `appeal`: its number. Nothing is sent or kept; a problem of the text is said in words."""

    roles: ClassVar[frozenset[Role]] = SUPERVISORS

    def post(self, request: HttpRequest) -> HttpResponse:
        text = templating.one_line_end(request.POST.get("text", "")[:5000])
        context: dict[str, Any] = {"typed": text}
        values, context["problem_of_appeal"] = placeholders.examples(), ""
        if number := request.POST.get("appeal", "").strip().lstrip("№").strip():
            appeal = _appeal(request, number)
            if appeal is None:
                context["problem_of_appeal"] = _("There is no appeal with this number.")
            else:
                context["appeal"] = appeal
                center = center_of(appeal)
                values = values_of(appeal, contacts(center) if center is not None else None)
        return render(request, "tickets/_template_preview.html", {**context, **judged(text, values)})


def judged(text: str, values: dict[str, str]) -> dict[str, Any]:
    """The `preview` and its `segments`; or the `problem` of the text; or which values are `missing`, by their names."""
    if not text:
        return {}
    try:
        rendered = templating.render(templating.checked_text(text), values)
    except templating.MissingValue as error:
        names = error.details["placeholders"]
        return {"missing": [PLACEHOLDERS[name].label for name in names]}
    except HotlineError as error:
        return {"problem": error.message}
    counted = segments.count(rendered)
    found: dict[str, Any] = {"preview": rendered, "segments": counted}
    if counted.count > MAX_SEGMENTS:
        found["problem"] = _("The text takes %(count)d SMS; %(most)d are the most.") % {
            "count": counted.count,
            "most": MAX_SEGMENTS,
        }
    return found


def _appeal(request: HttpRequest, number: str) -> Appeal | None:
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    return Appeal.objects.visible_to(staff(request)).for_detail().filter(number=int(number)).first()
