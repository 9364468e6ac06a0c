"""How the API writes messages, templates and verdicts, and what it takes."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from hotline.base.api import ActionIdField
from sms.models import Category, SmsMessage, SmsPart, SmsStateChange, SmsTemplate
from sms.placeholders import PLACEHOLDERS
from sms.segments import Segments
from sms.templating import placeholders_of


class StateChangeSerializer(serializers.ModelSerializer):
    class Meta:
        model = SmsStateChange
        fields: ClassVar = ["from_state", "to_state", "at", "reason"]


class MessageSerializer(serializers.ModelSerializer):
    """`state`: accepted is not delivered. `reason` is the code of why it is in this state, or ""."""

    template: serializers.SlugRelatedField[SmsTemplate] = serializers.SlugRelatedField(
        slug_field="code", read_only=True, allow_null=True
    )
    reason = serializers.CharField(source="reason_code", read_only=True)
    template_version = serializers.IntegerField(source="template.version", read_only=True, default=None)

    class Meta:
        model = SmsMessage
        fields: ClassVar = [
            "id",
            "action_id",
            "to",
            "text",
            "template",
            "template_version",
            "state",
            "state_changed_at",
            "reason",
            "segments",
            "category",
            "sender",
            "resend_of",
            "cost",
            "gateway",
            "gateway_id",
            "attempts",
            "requested_by",
            "created_at",
        ]
        read_only_fields: ClassVar = fields


class PartSerializer(serializers.ModelSerializer):
    """A part of a long message at a gateway that takes parts; elsewhere there are none."""

    class Meta:
        model = SmsPart
        fields: ClassVar = ["seq", "text", "state", "gateway_id", "reason"]


class MessageDetailSerializer(MessageSerializer):
    """With every state it was in, and its parts."""

    changes = StateChangeSerializer(many=True, read_only=True)
    parts = PartSerializer(many=True, read_only=True)

    class Meta(MessageSerializer.Meta):
        fields: ClassVar = [*MessageSerializer.Meta.fields, "changes", "parts"]
        read_only_fields: ClassVar = fields


class ContentSerializer(serializers.Serializer):
    """What a message says: `text` as it is, or `template` with `values`."""

    text = serializers.CharField(required=False, max_length=2000, help_text="The text as it is sent.")
    template = serializers.SlugField(required=False, max_length=40, help_text="The code of a template.")
    values = serializers.DictField(
        child=serializers.CharField(allow_blank=True, allow_null=True, max_length=500),
        required=False,
        help_text="The value of each placeholder that the template names.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("text" in attrs) == ("template" in attrs):
            raise serializers.ValidationError({"text": _("Give either a text or a template.")}, code="text_or_template")
        if "values" in attrs and "template" not in attrs:
            raise serializers.ValidationError({"values": _("Values belong to a template.")}, code="text_or_template")
        return attrs


class SendSerializer(ContentSerializer):
    """`action_id`: a UUID that the caller makes for one deliberate action; repeated, it is the same message."""

    action_id = ActionIdField()
    to = serializers.CharField(max_length=64, help_text="A number in any spelling; it is judged as by `eligibility`.")
    category = serializers.ChoiceField(
        choices=Category.choices,
        required=False,
        help_text="Of a text: other messages need the client's consent; by default service. A template has its own.",
    )
    sender = serializers.CharField(
        max_length=20, required=False, help_text="The name that the client sees. By default the template's, else ours."
    )
    timezone = serializers.CharField(
        max_length=40,
        required=False,
        help_text="The client's (IANA): the quiet hours hold by its clock. By default the hotline's for a machine, and "
        "none for a person, whose messages go at any hour.",
    )

    def validate_timezone(self, value: str) -> str:
        if value not in available_timezones():
            raise serializers.ValidationError(_("There is no such time zone."), code="timezone")
        return value


class PlaceholderSerializer(serializers.Serializer):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField()


class TemplateSerializer(serializers.ModelSerializer):
    """A template's version in use."""

    placeholders = serializers.SerializerMethodField()

    class Meta:
        model = SmsTemplate
        fields: ClassVar = [
            "code",
            "version",
            "moment",
            "kind",
            "category",
            "sender",
            "daily_limit",
            "name",
            "text",
            "placeholders",
            "created_at",
        ]

    def get_placeholders(self, template: SmsTemplate) -> PlaceholderSerializer(many=True):  # type: ignore[valid-type]
        named = [PLACEHOLDERS[name] for name in placeholders_of(template.text)]
        return [{"name": found.name, "label": str(found.label), "help": str(found.help)} for found in named]


class PhoneSerializer(serializers.Serializer):
    """The number as it was read; `e164` is "" where it could not be."""

    raw = serializers.CharField()
    e164 = serializers.CharField()
    region = serializers.CharField()
    line_type = serializers.CharField()
    extension = serializers.CharField()


@extend_schema_serializer(many=False)
class VerdictSerializer(serializers.Serializer):
    """May an SMS go there? `code` is "ok" or the reason, `text` the reason in words.

    `warning` is a code where one may go and yet should not be relied on: `probably_blocked`.
    """

    allowed = serializers.BooleanField()
    code = serializers.CharField()
    text = serializers.CharField()
    warning = serializers.CharField()
    phone = PhoneSerializer()


class NumberSerializer(serializers.Serializer):
    number = serializers.CharField(
        max_length=100, allow_blank=True, trim_whitespace=False, help_text="In any spelling."
    )

    def validate_number(self, value: str) -> str:
        # «+» in an address is a space: «?number=+375…» means the plus, however it was escaped.
        return f"+{value[1:]}" if value[:1] == " " and value[1:2].isdecimal() else value


class PreviewSerializer(serializers.Serializer):
    """The text and the SMS it becomes. `units` are septets or 16-bit units, `left` what the last part still takes."""

    text = serializers.CharField()
    encoding = serializers.ChoiceField(choices=["gsm7", "ucs2"])
    segments = serializers.IntegerField(source="counted.count")
    units = serializers.IntegerField(source="counted.units")
    limit = serializers.IntegerField(source="counted.limit")
    left = serializers.IntegerField(source="counted.left")
    parts = serializers.ListField(child=serializers.CharField(), source="counted.parts")
    forced = serializers.ListField(
        child=serializers.CharField(), source="counted.forced", help_text="The characters that force UCS-2."
    )

    @classmethod
    def of(cls, text: str, counted: Segments) -> PreviewSerializer:
        return cls({"text": text, "encoding": counted.encoding, "counted": counted})
