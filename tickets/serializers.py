"""How the API reads and writes clients, appliances and appeals. What is judged is judged by the verbs, not here."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from hotline.base.api import ActionIdField
from service_centers.models import Brand, Category, City, ServiceCenter
from tickets.actions.appliances import APPLIANCE_FIELDS
from tickets.actions.facts import APPEAL_FIELDS
from tickets.completeness import ApplianceFacts
from tickets.models import (
    Account,
    Appeal,
    AppealEvent,
    AppealMessage,
    AppealReference,
    Appliance,
    Assignment,
    Client,
    ClientPhone,
    Comment,
    DateSource,
    Document,
    DocumentKind,
    FactSource,
    ProductModel,
    Reminder,
    Topic,
)


class TopicSerializer(serializers.ModelSerializer):
    class Meta:
        model = Topic
        fields: ClassVar = ["id", "code", "name", "is_atypical", "is_active"]


class ProductModelSerializer(serializers.ModelSerializer):
    brand_name = serializers.CharField(source="brand.name", read_only=True)
    category_name = serializers.CharField(source="category.name", read_only=True)

    class Meta:
        model = ProductModel
        fields: ClassVar = ["id", "name", "brand", "brand_name", "category", "category_name"]


# --- Clients ---------------------------------------------------------------------------------------
class ClientPhoneSerializer(serializers.ModelSerializer):
    """`raw` as typed; `e164` is "" where it could not be read."""

    class Meta:
        model = ClientPhone
        fields: ClassVar = ["id", "raw", "e164", "region", "line_type", "extension"]


class AccountSerializer(serializers.ModelSerializer):
    class Meta:
        model = Account
        fields: ClassVar = ["id", "number", "client", "is_main", "reason", "opened_at"]
        read_only_fields: ClassVar = ["number", "is_main", "opened_at"]


class ClientSerializer(serializers.ModelSerializer):
    """A card. `version` is the one to send back with a change."""

    phones = ClientPhoneSerializer(many=True, read_only=True)
    accounts = AccountSerializer(many=True, read_only=True)
    full_name = serializers.CharField(read_only=True)
    city_name = serializers.CharField(read_only=True)

    class Meta:
        model = Client
        fields: ClassVar = [
            *("id", "full_name", "last_name", "first_name", "middle_name", "city", "city_text", "city_name"),
            *("address", "email", "note", "phones", "accounts", "created_at", "version"),
        ]


class ClientWriteSerializer(serializers.Serializer):
    """A new card, or a change of one (then `version` is needed; what is not sent stays)."""

    last_name = serializers.CharField(max_length=100, allow_blank=True, required=False)
    first_name = serializers.CharField(max_length=100, allow_blank=True, required=False)
    middle_name = serializers.CharField(max_length=100, allow_blank=True, required=False)
    city = serializers.PrimaryKeyRelatedField(queryset=City.objects.all(), allow_null=True, required=False)
    city_text = serializers.CharField(max_length=150, allow_blank=True, required=False)
    address = serializers.CharField(max_length=250, allow_blank=True, required=False)
    email = serializers.EmailField(allow_blank=True, required=False)
    note = serializers.CharField(max_length=4000, allow_blank=True, required=False)


class ClientCreateSerializer(ClientWriteSerializer):
    phones = serializers.ListField(child=serializers.CharField(max_length=100), required=False, max_length=20)
    action_id = ActionIdField(required=False, help_text="The same id again returns the same card.")


class ClientUpdateSerializer(ClientWriteSerializer):
    version = serializers.IntegerField(min_value=1)


class PhoneWriteSerializer(serializers.Serializer):
    raw = serializers.CharField(max_length=100, help_text="As the client says it.")


class AccountOpenSerializer(serializers.Serializer):
    client = serializers.PrimaryKeyRelatedField(queryset=Client.objects.all())
    reason = serializers.CharField(max_length=200, allow_blank=True)


class ApplianceSerializer(serializers.ModelSerializer):
    class Meta:
        model = Appliance
        fields: ClassVar = [
            *("id", "account", "product_model", "brand", "category", "model_text", "serial_number"),
            *("purchase_date", "purchase_date_source", "store", "city", "created_at"),
        ]


class ApplianceWriteSerializer(serializers.Serializer):
    account = serializers.PrimaryKeyRelatedField(queryset=Account.objects.all())
    model_text = serializers.CharField(max_length=100, allow_blank=True, required=False, default="")
    product_model = serializers.PrimaryKeyRelatedField(
        queryset=ProductModel.objects.all(), allow_null=True, required=False
    )
    serial_number = serializers.CharField(max_length=60, allow_blank=True, required=False, default="")
    purchase_date = serializers.DateField(allow_null=True, required=False)
    purchase_date_source = serializers.ChoiceField(choices=DateSource.choices, default=DateSource.UNKNOWN)
    store = serializers.CharField(max_length=150, allow_blank=True, required=False, default="")
    city = serializers.PrimaryKeyRelatedField(queryset=City.objects.all(), allow_null=True, required=False)


class ApplianceUpdateSerializer(serializers.ModelSerializer):
    """What is not sent stays."""

    class Meta:
        model = Appliance
        fields: ClassVar = sorted(APPLIANCE_FIELDS)
        extra_kwargs: ClassVar = {name: {"required": False} for name in APPLIANCE_FIELDS}


# --- Appeals ---------------------------------------------------------------------------------------
class AssignmentSerializer(serializers.ModelSerializer):
    service_center_name = serializers.CharField(source="service_center.name", read_only=True)

    class Meta:
        model = Assignment
        fields: ClassVar = [
            *("id", "service_center", "service_center_name", "state", "rank", "reasons", "distance_km"),
            *("assigned_at", "ended_at", "note"),
        ]


class CommentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Comment
        fields: ClassVar = ["id", "author", "service_center", "text", "created_at"]
        read_only_fields: ClassVar = ["author", "created_at"]


class DocumentSerializer(serializers.ModelSerializer):
    """`kind` by its code: act, rc, letter, or one that a supervisor added."""

    kind = serializers.SlugRelatedField(slug_field="code", queryset=DocumentKind.objects.all())

    class Meta:
        model = Document
        fields: ClassVar = ["id", "kind", "number", "date", "note", "is_answered", "created_at"]
        read_only_fields: ClassVar = ["created_at"]


class ReminderSerializer(serializers.ModelSerializer):
    class Meta:
        model = Reminder
        fields: ClassVar = ["id", "to", "due_at", "text", "done_at"]
        read_only_fields: ClassVar = ["done_at"]


class ReferenceSerializer(serializers.ModelSerializer):
    class Meta:
        model = AppealReference
        fields: ClassVar = ["id", "system", "number", "created_at"]
        read_only_fields: ClassVar = ["created_at"]


class AppealMessageSerializer(serializers.ModelSerializer):
    """What was sent or dictated (R3). «accepted» is not «delivered»."""

    to = serializers.CharField(source="message.to")
    text = serializers.CharField(source="message.text")
    state = serializers.CharField(source="message.state")
    created_at = serializers.DateTimeField(source="message.created_at")

    class Meta:
        model = AppealMessage
        fields: ClassVar = ["id", "purpose", "message", "to", "text", "state", "created_at"]


class AppealEventSerializer(serializers.ModelSerializer):
    class Meta:
        model = AppealEvent
        fields: ClassVar = ["code", "at", "actor", "data"]


class AppealSerializer(serializers.ModelSerializer):
    city_name = serializers.CharField(read_only=True)
    service_center = serializers.SerializerMethodField()

    class Meta:
        model = Appeal
        fields: ClassVar = [
            *("number", "kind", "state", "topic", "client", "account", "appliance", "parent", "duplicate_of"),
            *("description", "outcome", "full_name", "phone", "city", "city_name", "address"),
            *("product_model", "brand", "category", "model_text", "model_source", "serial_number"),
            *("purchase_date", "purchase_date_source", "store", "store_source"),
            *("verdict", "verdict_reason", "warranty_until", "is_paid"),
            *("service_center", "no_center_reason", "no_center_note", "referred_to"),
            *("registered_at", "registered_by", "state_changed_at", "version"),
        ]

    @extend_schema_field(serializers.IntegerField(allow_null=True, help_text="The centre that has the request now."))
    def get_service_center(self, appeal: Appeal) -> int | None:
        active = appeal.active_assignment()
        return active.service_center_id if active else None


class AppealDetailSerializer(AppealSerializer):
    """An appeal with all that hangs on it."""

    assignments = AssignmentSerializer(many=True)
    comments = CommentSerializer(many=True)
    documents = DocumentSerializer(many=True)
    reminders = ReminderSerializer(many=True)
    references = ReferenceSerializer(many=True)
    messages = AppealMessageSerializer(many=True)
    journal = AppealEventSerializer(many=True)
    warranty_text = serializers.CharField()

    class Meta(AppealSerializer.Meta):
        fields: ClassVar = [
            *AppealSerializer.Meta.fields,
            *("warranty_text", "assignments", "comments", "documents", "reminders", "references", "messages"),
            "journal",
        ]


class AppealCreateSerializer(serializers.Serializer):
    """A new appeal. What is missing for its kind (R1, R2) comes back field by field, each with its code."""

    action_id = ActionIdField(required=False, help_text="The same id again returns the same appeal.")
    kind = serializers.ChoiceField(choices=Appeal.Kind.choices)
    description = serializers.CharField(max_length=4000, allow_blank=True, default="")
    outcome = serializers.CharField(max_length=4000, allow_blank=True, default="")
    client = serializers.PrimaryKeyRelatedField(queryset=Client.objects.all(), allow_null=True, required=False)
    account = serializers.PrimaryKeyRelatedField(queryset=Account.objects.all(), allow_null=True, required=False)
    appliance = serializers.PrimaryKeyRelatedField(queryset=Appliance.objects.all(), allow_null=True, required=False)
    topic = serializers.SlugRelatedField(
        slug_field="code", queryset=Topic.objects.all(), allow_null=True, required=False
    )
    parent = serializers.SlugRelatedField(  # type: ignore[assignment]
        slug_field="number", queryset=Appeal.objects.all(), allow_null=True, required=False
    )
    phone = serializers.CharField(max_length=32, allow_blank=True, default="")
    full_name = serializers.CharField(max_length=310, allow_blank=True, default="")
    city = serializers.PrimaryKeyRelatedField(queryset=City.objects.all(), allow_null=True, required=False)
    city_text = serializers.CharField(max_length=150, allow_blank=True, default="")
    address = serializers.CharField(max_length=250, allow_blank=True, default="")
    product_model = serializers.PrimaryKeyRelatedField(
        queryset=ProductModel.objects.select_related("brand", "category"), allow_null=True, required=False
    )
    brand = serializers.PrimaryKeyRelatedField(queryset=Brand.objects.all(), allow_null=True, required=False)
    category = serializers.PrimaryKeyRelatedField(queryset=Category.objects.all(), allow_null=True, required=False)
    model_text = serializers.CharField(max_length=100, allow_blank=True, default="")
    model_source = serializers.ChoiceField(choices=FactSource.choices, allow_blank=True, default="")
    serial_number = serializers.CharField(max_length=60, allow_blank=True, default="")
    purchase_date = serializers.DateField(allow_null=True, required=False)
    purchase_date_source = serializers.ChoiceField(choices=DateSource.choices, allow_blank=True, default="")
    store = serializers.CharField(max_length=150, allow_blank=True, default="")
    store_source = serializers.ChoiceField(choices=FactSource.choices, allow_blank=True, default="")
    service_center = serializers.PrimaryKeyRelatedField(
        queryset=ServiceCenter.objects.all(), allow_null=True, required=False
    )
    no_center_reason = serializers.ChoiceField(choices=Appeal.NoCenterReason.choices, allow_blank=True, default="")
    no_center_note = serializers.CharField(max_length=300, allow_blank=True, default="")
    referred_to = serializers.PrimaryKeyRelatedField(
        queryset=ServiceCenter.objects.all(), allow_null=True, required=False
    )
    is_paid = serializers.BooleanField(default=False)
    close = serializers.BooleanField(default=False, help_text="Registered and closed at once: a consultation.")

    FACTS: ClassVar = tuple(ApplianceFacts.__dataclass_fields__)

    def arguments(self) -> dict[str, Any]:
        """What `register_appeal` takes. With an appliance and no facts of their own, the appliance's facts count."""
        given = dict(self.validated_data)
        facts = {name: given.pop(name) for name in self.FACTS if name in given}
        told = any(facts.get(name) for name in self.FACTS)
        return {**given, "facts": ApplianceFacts(**facts) if told or not given.get("appliance") else None}


class StateSerializer(serializers.Serializer):
    state = serializers.ChoiceField(choices=Appeal.State.choices)
    note = serializers.CharField(max_length=300, allow_blank=True, default="")
    version = serializers.IntegerField(min_value=1, required=False)


class AssignSerializer(serializers.Serializer):
    service_center = serializers.PrimaryKeyRelatedField(queryset=ServiceCenter.objects.all())
    note = serializers.CharField(max_length=300, allow_blank=True, default="")
    version = serializers.IntegerField(min_value=1, required=False)


class CommentWriteSerializer(serializers.Serializer):
    text = serializers.CharField(max_length=4000)
    service_center = serializers.PrimaryKeyRelatedField(
        queryset=ServiceCenter.objects.all(), allow_null=True, required=False
    )


class AppealSendSerializer(serializers.Serializer):
    """The text is never sent: it is made of the registered appeal and its centre's contacts (stage 7)."""

    action_id = ActionIdField(help_text="The same id again is the same message.")
    to = serializers.CharField(max_length=64)
    purpose = serializers.ChoiceField(choices=AppealMessage.Purpose.choices)


class DictateSerializer(AppealSendSerializer):
    to = serializers.CharField(max_length=64, allow_blank=True, help_text="Whom one spoke with; empty if hidden.")


class MessagePreviewSerializer(serializers.Serializer):
    text = serializers.CharField()
    segments = serializers.IntegerField(source="segments.count")
    missing = serializers.ListField(child=serializers.CharField())


class OutcomeSerializer(serializers.Serializer):
    outcome = serializers.ChoiceField(
        choices=[Assignment.State.ACCEPTED, Assignment.State.DECLINED, Assignment.State.COMPLETED]
    )
    note = serializers.CharField(max_length=300, allow_blank=True, default="")


class ContactsSerializer(serializers.Serializer):
    service_center = serializers.PrimaryKeyRelatedField(queryset=ServiceCenter.objects.all())


class MoveSerializer(serializers.Serializer):
    account = serializers.PrimaryKeyRelatedField(queryset=Account.objects.select_related("client"))
    reason = serializers.CharField(max_length=300, allow_blank=True, default="")


class OriginalSerializer(serializers.Serializer):
    of = serializers.SlugRelatedField(slug_field="number", queryset=Appeal.objects.all())


class AppealEditSerializer(serializers.ModelSerializer):
    """What is not sent stays. `version` is the one that was read."""

    version = serializers.IntegerField(min_value=1)

    class Meta:
        model = Appeal
        fields: ClassVar = ["version", *sorted(APPEAL_FIELDS)]
        extra_kwargs: ClassVar = {name: {"required": False} for name in APPEAL_FIELDS}


class DuplicatesSerializer(serializers.Serializer):
    """What is known of a person so far."""

    last_name = serializers.CharField(max_length=100, allow_blank=True, default="")
    first_name = serializers.CharField(max_length=100, allow_blank=True, default="")
    phones = serializers.ListField(child=serializers.CharField(max_length=100), default=list, max_length=20)
    city = serializers.PrimaryKeyRelatedField(queryset=City.objects.all(), allow_null=True, default=None)


class DuplicateSerializer(serializers.Serializer):
    """Reasons: same_phone, same_name, similar_name, same_city."""

    client = ClientSerializer()
    reasons = serializers.ListField(child=serializers.CharField())


class SayNowSerializer(serializers.Serializer):
    """Codes: overdue, no_center, letter, reminder, undelivered, act, comment; `severity` is bad, warn or info."""

    code = serializers.CharField()
    severity = serializers.CharField()
    text = serializers.CharField()
    appeal = serializers.IntegerField(source="appeal.number")
    at = serializers.DateTimeField()
