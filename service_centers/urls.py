from django.urls import path

from service_centers import views

app_name = "service_centers"
urlpatterns = [
    path("", views.ListView.as_view(), name="list"),
    path("<int:pk>/", views.DetailView.as_view(), name="detail"),
    path("cities/suggest/", views.CitySuggestView.as_view(), name="city-suggest"),
]
