from django.urls import path

from hotline.operators import views

app_name = "operators"
urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="login"),
    path("sign-in/language/", views.Language.as_view(), name="language"),
    path("sign-out/", views.SignOut.as_view(), name="logout"),
    path("me/extension/", views.Extension.as_view(), name="extension"),
    path("me/state/", views.State.as_view(), name="state"),
    path("me/preferences/", views.Preferences.as_view(), name="preferences"),
    path("me/password/", views.ChangePassword.as_view(), name="password"),
    path("me/alias/", views.MyAlias.as_view(), name="alias"),
    path("me/alias/state/", views.MyAliasState.as_view(), name="alias_state"),
    path("me/alias/<int:pk>/retire/", views.Retire.as_view(), name="alias_retire"),
    path("me/alias/notice/", views.AliasNotice.as_view(), name="alias_notice"),
    path("aliases/", views.Aliases.as_view(), name="aliases"),
    path("aliases/waiting/", views.AliasInbox.as_view(), name="alias_inbox"),
    path("aliases/<int:pk>/acknowledge/", views.Acknowledge.as_view(), name="alias_acknowledge"),
    path("aliases/<int:pk>/stop/", views.Stop.as_view(), name="alias_stop"),
]
