"""Clients, accounts, appliances and appeals over the API."""

from rest_framework.routers import SimpleRouter

from tickets.api.appeals import AppealViewSet
from tickets.api.clients import AccountViewSet, ApplianceViewSet, ClientViewSet
from tickets.api.directories import ProductModelViewSet, TopicViewSet

router = SimpleRouter()
router.register("clients", ClientViewSet, basename="clients")
router.register("accounts", AccountViewSet, basename="accounts")
router.register("appliances", ApplianceViewSet, basename="appliances")
router.register("appeals", AppealViewSet, basename="appeals")
router.register("models", ProductModelViewSet, basename="models")
router.register("topics", TopicViewSet, basename="topics")

urlpatterns = router.urls
