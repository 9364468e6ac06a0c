from django.urls import path

from sms import views

app_name = "sms"
urlpatterns = [
    path("sent/", views.SentView.as_view(), name="sent"),
    path("<int:pk>/state/", views.state, name="state"),
]
