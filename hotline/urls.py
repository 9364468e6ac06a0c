"""All pages. What each URL needs is stated by its view and listed in tests/test_permission_matrix.py."""

from django.contrib import admin
from django.urls import include, path, re_path

from hotline.base.api import nowhere

urlpatterns = [
    path("", include("hotline.desk.urls")),
    path("", include("hotline.base.urls")),
    path("", include("hotline.operators.urls")),
    path("calls/", include("calls.urls")),
    path("", include("tickets.urls")),
    path("service-centers/", include("service_centers.urls")),
    path("sms/", include("sms.urls")),
    path("api/v1/", include("hotline.api_urls")),
    re_path(r"^api/", nowhere, name="api-nowhere"),
    path("admin/", admin.site.urls),
]

handler400 = "hotline.base.api.bad_request"
handler500 = "hotline.base.api.server_error"
