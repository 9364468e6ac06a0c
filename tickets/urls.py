from django.urls import path

from tickets.views import appeals, clients, models, outbox, sections, templates

app_name = "tickets"

urlpatterns = [
    path("clients/", clients.ClientsView.as_view(), name="clients"),
    path("clients/new/", clients.ClientNewView.as_view(), name="client-new"),
    path("clients/duplicates/", clients.DuplicatesView.as_view(), name="duplicates"),
    path("clients/accounts/", clients.AccountSuggestView.as_view(), name="account-suggest"),
    path("clients/<int:pk>/edit/", clients.ClientEditView.as_view(), name="client-edit"),
    path("clients/<int:pk>/phones/", clients.PhonesView.as_view(), name="phones"),
    path("clients/<int:pk>/accounts/", clients.AccountsView.as_view(), name="accounts"),
    path("accounts/<int:pk>/appliances/", clients.ApplianceNewView.as_view(), name="appliance-new"),
    path("appliances/<int:pk>/", clients.ApplianceEditView.as_view(), name="appliance-edit"),
    path("models/suggest/", models.ModelSuggestView.as_view(), name="model-suggest"),
    path("appeals/", appeals.AppealsView.as_view(), name="appeals"),
    path("appeals/<int:number>/", appeals.AppealView.as_view(), name="appeal"),
    path("appeals/<int:number>/facts/", sections.FactsView.as_view(), name="appeal-facts"),
    path("appeals/<int:number>/state/", sections.StateView.as_view(), name="appeal-state"),
    path("appeals/<int:number>/assign/", sections.AssignView.as_view(), name="appeal-assign"),
    path("appeals/<int:number>/assignment/", sections.EndView.as_view(), name="appeal-assignment"),
    path("appeals/<int:number>/move/", sections.MoveView.as_view(), name="appeal-move"),
    path("appeals/<int:number>/duplicate/", sections.DuplicateView.as_view(), name="appeal-duplicate"),
    path("appeals/<int:number>/comments/", sections.CommentsView.as_view(), name="appeal-comments"),
    path("appeals/<int:number>/documents/", sections.DocumentsView.as_view(), name="appeal-documents"),
    path("appeals/<int:number>/documents/<int:pk>/", appeals.DocumentFileView.as_view(), name="document"),
    path(
        "appeals/<int:number>/documents/<int:pk>/answered/",
        sections.LetterAnsweredView.as_view(),
        name="letter-answered",
    ),
    path("appeals/<int:number>/reminders/", sections.RemindersView.as_view(), name="appeal-reminders"),
    path("appeals/<int:number>/reminders/<int:pk>/done/", sections.ReminderDoneView.as_view(), name="reminder-done"),
    path("appeals/<int:number>/messages/", sections.MessagesView.as_view(), name="appeal-messages"),
    path("appeals/<int:number>/messages/<int:pk>/resend/", sections.ResendView.as_view(), name="appeal-message-resend"),
    path("appeals/<int:number>/references/", sections.ReferencesView.as_view(), name="appeal-references"),
    # SMS, where both rooms are needed: the supervisors' page, a template seen with a real appeal.
    path("sms/", outbox.SmsView.as_view(), name="sms"),
    path("sms/overview/", outbox.OverviewView.as_view(), name="sms-overview"),
    path("sms/release/", outbox.ReleaseView.as_view(), name="sms-release"),
    path("sms/uncertain/<int:pk>/", outbox.UncertainView.as_view(), name="sms-uncertain"),
    path("sms/templates/preview/", templates.PreviewView.as_view(), name="template-preview"),
]
