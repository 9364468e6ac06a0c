"""What machines ask (is this process up, is all it needs there, what are its figures), and the style guide."""

from django.urls import path

from hotline.base import health
from hotline.base.styleguide import styleguide

app_name = "base"
urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("styleguide/", styleguide, {"template": "base/styleguide.html"}, name="styleguide"),
    path("styleguide/call/", styleguide, {"template": "base/styleguide_call.html"}, name="styleguide-call"),
]
