from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class OperatorsConfig(AppConfig):
    name = "hotline.operators"
    label = "operators"
    verbose_name = _("Staff and access")
    default = True

    def ready(self) -> None:
        from hotline.operators import authentication  # noqa: F401  the OpenAPI description of tokens


class HotlineAdminConfig(admin_apps.AdminConfig):
    """The stock admin, entered by our own door (`site.HotlineAdminSite`)."""

    default = False
    default_site = "hotline.operators.site.HotlineAdminSite"

    def ready(self) -> None:
        super().ready()
        from django.contrib import admin
        from django.contrib.auth.models import Group

        # Rights come from the table in roles.py: groups would be a page that does nothing.
        admin.site.unregister(Group)
