"""How the API writes calls. Read only: a call is carried out in the workspace and told by the exchange."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from calls.facts import lost_call_back_of, promise_of
from calls.models import (
    Call,
    CallAppeal,
    CallEvent,
    CallReference,
    CallStage,
    LostCallBack,
    PromisedCallBack,
)


class CallAppealSerializer(serializers.ModelSerializer):
    number = serializers.IntegerField(source="appeal.number", read_only=True)
    kind = serializers.CharField(source="appeal.kind", read_only=True)

    class Meta:
        model = CallAppeal
        fields: ClassVar = ["number", "kind", "relation"]


class CallStageSerializer(serializers.ModelSerializer):
    class Meta:
        model = CallStage
        fields: ClassVar = ["stage", "act", "at", "actor", "data"]


class CallReferenceSerializer(serializers.ModelSerializer):
    class Meta:
        model = CallReference
        fields: ClassVar = ["system", "number", "created_at"]


class LostCallBackSerializer(serializers.ModelSerializer):
    """The one call back after a lost connection (D2). `attempt` is the call that was made."""

    attempt = serializers.SerializerMethodField()

    class Meta:
        model = LostCallBack
        fields: ClassVar = ["id", "owner", "planned_at", "attempted_at", "cancelled_at", "cancel_reason", "attempt"]

    def get_attempt(self, back: LostCallBack) -> int | None:
        attempt = getattr(back, "attempt_call", None)
        return attempt.pk if attempt is not None else None


class PromisedCallBackSerializer(serializers.ModelSerializer):
    class Meta:
        model = PromisedCallBack
        fields: ClassVar = ["id", "owner", "number", "due_at", "reason", "state", "settled_at"]


class CallSerializer(serializers.ModelSerializer):
    """A call in a list. `phase` is how far the talk got, `ending` what was said of the hang-up."""

    operator_name = serializers.CharField(source="operator.full_name", read_only=True, default="")
    client_name = serializers.CharField(source="client.full_name", read_only=True, default="")
    registered_appeal = serializers.IntegerField(
        source="registered_appeal.number", read_only=True, default=None, allow_null=True
    )
    topic = serializers.CharField(source="topic.code", read_only=True, default="")
    result = serializers.CharField(source="result.code", read_only=True, default="")
    talk_seconds = serializers.IntegerField(read_only=True, allow_null=True, help_text="Seconds; null: not answered.")
    is_missed = serializers.BooleanField(read_only=True)

    class Meta:
        model = Call
        fields: ClassVar = [
            "id",
            "source",
            "external_id",
            "direction",
            "origin",
            "number",
            "number_raw",
            "line",
            "queue",
            "operator",
            "operator_name",
            "spoken_name",
            "line_state",
            "work_state",
            "phase",
            "ending",
            "talk_ended_by",
            "hung_up_by",
            "cause",
            "started_at",
            "answered_at",
            "ended_at",
            "closed_at",
            "talk_seconds",
            "is_missed",
            "client",
            "client_name",
            "account",
            "registered_appeal",
            "topic",
            "result",
            "is_atypical",
            "rating",
        ]


class CallDetailSerializer(CallSerializer):
    """A call with its evidence: the acts of its stages, its appeals, its call backs."""

    appeals = CallAppealSerializer(many=True, read_only=True)
    stages = CallStageSerializer(source="stage_acts", many=True, read_only=True)
    references = CallReferenceSerializer(many=True, read_only=True)
    lost_call_back = serializers.SerializerMethodField()
    promised_call_back = serializers.SerializerMethodField()
    attempt_of = serializers.IntegerField(
        source="attempt_of.call_id",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="The lost call that this one calls back.",
    )

    class Meta(CallSerializer.Meta):
        fields: ClassVar = [
            *CallSerializer.Meta.fields,
            "script_version",
            "caller_name",
            "wants_rating",
            "note",
            "attempt_of",
            "hand_dialled_after",
            "appeals",
            "stages",
            "references",
            "lost_call_back",
            "promised_call_back",
        ]

    @extend_schema_field(LostCallBackSerializer(allow_null=True))
    def get_lost_call_back(self, call: Call) -> dict | None:
        back = lost_call_back_of(call)
        return LostCallBackSerializer(back).data if back is not None else None

    @extend_schema_field(PromisedCallBackSerializer(allow_null=True))
    def get_promised_call_back(self, call: Call) -> dict | None:
        """The one that was promised in this call."""
        promise = promise_of(call)
        return PromisedCallBackSerializer(promise).data if promise is not None else None


class CallEventSerializer(serializers.ModelSerializer):
    """What the exchange said. `outcome`: what it did."""

    class Meta:
        model = CallEvent
        fields: ClassVar = ["id", "source", "event_id", "type", "occurred_at", "received_at", "outcome", "payload"]


class GenericEventSerializer(serializers.Serializer):
    """The payload of Zammad's generic CTI; docs/telephony.md. Only for the schema: the adapter reads what comes."""

    event = serializers.CharField(help_text="newCall, answer, hangup; rating is our addition. Others are recorded.")
    callId = serializers.CharField(help_text="The exchange's own id of the call.")  # noqa: N815
    direction = serializers.ChoiceField(choices=["in", "out"], required=False)
    user = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Also user[]: telephone, login, e-mail or name."
    )
    queue = serializers.CharField(required=False)
    answeringNumber = serializers.CharField(required=False)  # noqa: N815
    cause = serializers.CharField(required=False)
    rating = serializers.IntegerField(required=False, min_value=1, max_value=5)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        # `from` is a word of Python's.
        fields["from"] = serializers.CharField(required=False, help_text="The caller's number, or «anonymous».")
        fields["to"] = serializers.CharField(required=False)
        return fields


class EventOutcomeSerializer(serializers.Serializer):
    """What an event did: applied, late, ignored, unknown_call, or duplicate (it had come before)."""

    outcome = serializers.CharField()
    call = serializers.IntegerField(allow_null=True)
