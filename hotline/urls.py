"""All pages. What each URL needs is stated by its view and listed in tests/test_permission_matrix.py."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("hotline.desk.urls")),
    path("", include("hotline.base.urls")),
    path("", include("hotline.operators.urls")),
    path("calls/", include("calls.urls")),
    path("", include("tickets.urls")),
    path("service-centers/", include("service_centers.urls")),
    path("sms/", include("sms.urls")),
    path("api/v1/", include("hotline.api_urls")),
    path("admin/", admin.site.urls),
]
