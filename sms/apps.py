from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _
from prometheus_client import REGISTRY


class SmsConfig(AppConfig):
    name = "sms"
    verbose_name = _("SMS")

    def ready(self) -> None:
        from hotline.base.health import register_readiness
        from sms import checks
        from sms.metrics import OutboxCollector

        register(checks.gateway_is_configured, Tags.security)
        register_readiness("sms_outbox", checks.outbox)
        register_readiness("sms_sweep", checks.sweeping)
        register_readiness("smpp_link", checks.smpp_link)
        REGISTRY.register(OutboxCollector())
