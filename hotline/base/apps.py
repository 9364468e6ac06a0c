from django.apps import AppConfig


class BaseConfig(AppConfig):
    name = "hotline.base"
    label = "base"

    def ready(self) -> None:
        from hotline.base import checks  # noqa: F401
