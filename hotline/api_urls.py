"""The REST API, version 1."""

from django.urls import URLPattern, URLResolver, path

import calls.api
import service_centers.api
import sms.api
import tickets.api
from hotline.desk.documentation import DocumentationView, SchemaView

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocumentationView.as_view(), name="docs"),
    *calls.api.urlpatterns,
    *service_centers.api.urlpatterns,
    *sms.api.urlpatterns,
    *tickets.api.urlpatterns,
]
