"""Forms of the directory: what is asked of the matching."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from hotline.base.errors import InvalidFields
from service_centers.fields import CityField
from service_centers.models import Brand, Category, City, WorkKind


class MatchForm(forms.Form):
    """A question to the matching. Nothing is required: what is not named is not judged."""

    city = CityField(required=False, label=_("City"))
    brand = forms.ModelChoiceField(Brand.objects.all(), required=False, label=_("Brand"))
    category = forms.ModelChoiceField(Category.objects.all(), required=False, label=_("Category"))
    work = forms.ChoiceField(choices=WorkKind.choices, required=False, label=_("Kind of work"))

    def clean_work(self) -> WorkKind:
        return WorkKind(self.cleaned_data["work"] or WorkKind.WARRANTY_REPAIR)

    def city_of_directory(self) -> City | None:
        """The city, where the directory has it. Causes a SQL query."""
        return City.objects.filter(pk=self.cleaned_data["city"].city_id).first()

    def raise_if_invalid(self) -> None:
        """Raise `InvalidFields` with the problems of each field, for the API."""
        if not self.is_valid():
            problems = {
                name: [(str(error.code or "invalid"), "; ".join(error.messages)) for error in errors]
                for name, errors in self.errors.as_data().items()
            }
            raise InvalidFields(problems, _("The question could not be read."))
