"""How the API writes the directory."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from service_centers.contacts import hours_text, open_state
from service_centers.hours import OpenState
from service_centers.matching import ReasonCode
from service_centers.models import (
    Brand,
    Category,
    City,
    ServiceCenter,
    ServiceCenterHours,
    ServiceCenterPhone,
    ServiceCenterSkill,
)


class BrandSerializer(serializers.ModelSerializer):
    class Meta:
        model = Brand
        fields: ClassVar = ["id", "name"]


class CategorySerializer(serializers.ModelSerializer):
    class Meta:
        model = Category
        fields: ClassVar = ["id", "name"]


class CitySerializer(serializers.ModelSerializer):
    """`label` tells cities of one name apart: «Кировск (Мурманская область)»."""

    label = serializers.CharField(source="__str__", read_only=True)  # type: ignore[assignment]  # a field's name here

    class Meta:
        model = City
        fields: ClassVar = ["id", "name", "region", "label", "timezone", "latitude", "longitude", "population"]


class ServiceCenterPhoneSerializer(serializers.ModelSerializer):
    """`number` as it is read out; `e164` is "" where it could not be read."""

    class Meta:
        model = ServiceCenterPhone
        fields: ClassVar = ["number", "e164", "label"]


class ServiceCenterHoursSerializer(serializers.ModelSerializer):
    class Meta:
        model = ServiceCenterHours
        fields: ClassVar = ["weekday", "opens_at", "closes_at"]


class AuthorisationSerializer(serializers.ModelSerializer):
    """`category` null: the whole brand."""

    brand = BrandSerializer()
    category = CategorySerializer(allow_null=True)

    class Meta:
        model = ServiceCenterSkill
        fields: ClassVar = ["brand", "category", "work"]


class OpenStateSerializer(serializers.Serializer):
    """`is_open` null: the hours are not known. Moments are in the centre's zone."""

    is_open = serializers.BooleanField(allow_null=True)
    text = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True, default_timezone=None)
    opens_next = serializers.DateTimeField(allow_null=True, default_timezone=None)

    def to_representation(self, instance: OpenState) -> dict[str, Any]:
        return {
            "is_open": instance.is_open,
            "text": instance.text,
            "until": instance.until and instance.until.isoformat(),
            "opens_next": instance.opens_next and instance.opens_next.isoformat(),
        }


class ServiceCenterSerializer(serializers.ModelSerializer):
    """A centre in a list."""

    city = CitySerializer()
    phones = ServiceCenterPhoneSerializer(many=True)

    class Meta:
        model = ServiceCenter
        fields: ClassVar = ["id", "code", "name", "city", "address", "phones", "is_active"]


class ServiceCenterDetailSerializer(ServiceCenterSerializer):
    """A centre with all that is known of it; `state` is judged at the moment of asking."""

    hours = ServiceCenterHoursSerializer(many=True)
    hours_text = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    covers = serializers.SerializerMethodField()
    skills = AuthorisationSerializer(many=True)

    class Meta(ServiceCenterSerializer.Meta):
        fields: ClassVar = [
            *ServiceCenterSerializer.Meta.fields,
            *("legal_name", "directions", "latitude", "longitude", "email", "website", "note"),
            *("hours", "hours_text", "state", "covers", "skills"),
        ]

    def get_hours_text(self, center: ServiceCenter) -> str:
        return hours_text(center)

    @extend_schema_field(OpenStateSerializer)
    def get_state(self, center: ServiceCenter) -> Any:
        return OpenStateSerializer(open_state(center, timezone.now())).data

    @extend_schema_field(CitySerializer(many=True))
    def get_covers(self, center: ServiceCenter) -> Any:
        return CitySerializer([row.city for row in center.coverage.all()], many=True).data


# --- The matching -------------------------------------------------------------------------------
class MatchedCenterSerializer(ServiceCenterSerializer):
    hours_text = serializers.SerializerMethodField()

    class Meta(ServiceCenterSerializer.Meta):
        fields: ClassVar = [*ServiceCenterSerializer.Meta.fields, "hours_text"]

    def get_hours_text(self, center: ServiceCenter) -> str:
        return hours_text(center)


class MatchReasonSerializer(serializers.Serializer):
    code = serializers.ChoiceField(choices=ReasonCode.choices)
    text = serializers.CharField()


class MatchCandidateSerializer(serializers.Serializer):
    """`distance_km` is null in the client's own city, and where the city is unknown."""

    rank = serializers.IntegerField()
    distance_km = serializers.IntegerField(allow_null=True)
    service_center = MatchedCenterSerializer(source="center")
    state = OpenStateSerializer()
    reasons = MatchReasonSerializer(many=True)


class MatchLoserSerializer(serializers.Serializer):
    distance_km = serializers.IntegerField(allow_null=True)
    service_center = MatchedCenterSerializer(source="center")
    reasons = MatchReasonSerializer(many=True)


class MatchSerializer(serializers.Serializer):
    """`city` null: it was not named, or is not in the directory; then no distance is known and there are no losers."""

    city = CitySerializer(allow_null=True)
    candidates = MatchCandidateSerializer(many=True)
    losers = MatchLoserSerializer(many=True)
