from django.urls import path

from hotline.desk import views

app_name = "desk"
urlpatterns = [
    path("", views.StartView.as_view(), name="start"),
    path("waiting/", views.WaitingView.as_view(), name="waiting"),
    path("search/", views.SearchView.as_view(), name="search"),
    path("search/suggestions/", views.SuggestionsView.as_view(), name="suggestions"),
    path("clients/<int:pk>/", views.ClientView.as_view(), name="client"),
    path("clients/<int:pk>/sms/", views.WishesView.as_view(), name="wishes"),
    path("clients/<int:pk>/timeline/", views.TimelineView.as_view(), name="timeline"),
]
