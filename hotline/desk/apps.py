from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "hotline.desk"
    label = "desk"

    def ready(self) -> None:
        from hotline.desk import checks  # noqa: F401
