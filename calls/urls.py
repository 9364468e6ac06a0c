from django.urls import URLPattern, path

from calls.views import (
    card,
    corrections,
    day,
    diagnosis,
    drafts,
    ending,
    exchange,
    followups,
    history,
    identification,
    incoming,
    line,
    messages,
    page,
    registration,
    script,
    wrapup,
)

app_name = "calls"
urlpatterns: list[URLPattern] = [
    path("incoming/", incoming.Incoming.as_view(), name="incoming"),
    path("<int:pk>/switch/", incoming.Switch.as_view(), name="switch"),
    # The simulated exchange: in the demo only, 404 elsewhere.
    path("exchange/", exchange.Exchange.as_view(), name="exchange"),
    path("exchange/lines/", exchange.ExchangeLines.as_view(), name="exchange-lines"),
    path("exchange/dock/", exchange.ExchangeDock.as_view(), name="exchange-dock"),
    path("exchange/keys/", exchange.ExchangeKeys.as_view(), name="exchange-keys"),
    path("exchange/act/", exchange.ExchangeAct.as_view(), name="exchange-act"),
    # The operator's day
    path("", day.Day.as_view(), name="list"),
    path("owed/", day.Owed.as_view(), name="owed"),
    path("begin/", day.Begin.as_view(), name="begin"),
    path("call-backs/<str:kind>/<int:pk>/", day.StartCallBack.as_view(), name="start-call-back"),
    path("promises/<int:pk>/", day.SettleCallBack.as_view(), name="settle-promise"),
    path("follow-ups/<int:pk>/", followups.FollowUpView.as_view(), name="follow-up"),
    path("drafts/", drafts.Drafts.as_view(), name="drafts"),
    path("drafts/<int:pk>/discard/", drafts.DiscardDraft.as_view(), name="draft-discard"),
    path("drafts/<int:pk>/reassign/", drafts.ReassignDraft.as_view(), name="draft-reassign"),
    # The script, to be read
    path("script/", script.ScriptPage.as_view(), name="script"),
    path("script/<int:pk>/", script.ScriptPage.as_view(), name="script-version"),
    path("script/<int:pk>/acknowledge/", script.Acknowledge.as_view(), name="script-acknowledge"),
    path("script/<int:pk>/readers/", script.Readers.as_view(), name="script-readers"),
    # The workspace: the page, its frame, the acts of a stage
    path("<int:pk>/", page.CallPage.as_view(), name="call"),
    path("<int:pk>/strip/", page.Strip.as_view(), name="strip"),
    path("<int:pk>/missing/", page.MissingToClose.as_view(), name="missing"),
    path("<int:pk>/client-column/", page.ClientColumn.as_view(), name="client-column"),
    path("<int:pk>/stages/<str:stage>/", page.StageWork.as_view(), name="stage"),
    path("<int:pk>/drafts/<str:form>/", drafts.SaveDraft.as_view(), name="draft"),
    path("<int:pk>/objections/", diagnosis.Objections.as_view(), name="objections"),
    # The line
    path("<int:pk>/take/", line.Take.as_view(), name="take"),
    path("<int:pk>/dialog/", line.Dialog.as_view(), name="dialog"),
    path("<int:pk>/hang-up/", line.HangUp.as_view(), name="hang-up"),
    path("<int:pk>/ending/", line.Ending.as_view(), name="ending"),
    path("<int:pk>/ended-by/", line.EndedBy.as_view(), name="ended-by"),
    path("<int:pk>/flags/", line.Flags.as_view(), name="flags"),
    path("<int:pk>/park/", line.Park.as_view(), name="park"),
    path("<int:pk>/call-back/", line.CallBack.as_view(), name="call-back"),
    path("<int:pk>/reopen/", line.Reopen.as_view(), name="reopen"),
    # 2 and 3: who calls, the card, the account
    path("<int:pk>/search/", identification.Search.as_view(), name="client-search"),
    path("<int:pk>/client/", identification.Choose.as_view(), name="choose"),
    path("<int:pk>/presets/<str:preset>/", identification.Preset.as_view(), name="preset"),
    path("<int:pk>/card/", card.Card.as_view(), name="card"),
    path("<int:pk>/card/duplicates/", card.Duplicates.as_view(), name="duplicates"),
    path("<int:pk>/account/", card.ChooseAccount.as_view(), name="account"),
    # 4 and 5: history, diagnosis
    path("<int:pk>/appeals/<int:number>/", history.AppealWhole.as_view(), name="appeal"),
    path("<int:pk>/appeals/<int:number>/consult/", history.Consult.as_view(), name="consult"),
    path("<int:pk>/appliance/", diagnosis.ChooseAppliance.as_view(), name="appliance"),
    path("<int:pk>/diagnosis/", diagnosis.Diagnosed.as_view(), name="diagnosis"),
    # 6: registration
    path("<int:pk>/registration/<str:kind>/", registration.Register.as_view(), name="registration"),
    path("<int:pk>/check/<str:kind>/", registration.Check.as_view(), name="check"),
    path("<int:pk>/appeals/<int:number>/correct/", corrections.CorrectAppeal.as_view(), name="correct-appeal"),
    path("<int:pk>/appeals/adopt/", corrections.Adopt.as_view(), name="adopt"),
    # 7: SMS
    path("<int:pk>/sms/gate/", messages.Gate.as_view(), name="sms-gate"),
    path("<int:pk>/sms/send/", messages.Send.as_view(), name="sms-send"),
    path("<int:pk>/sms/wishes/", messages.Wishes.as_view(), name="sms-wishes"),
    path("<int:pk>/sms/dictate/", messages.Dictate.as_view(), name="sms-dictate"),
    path("<int:pk>/sms/<int:message>/", messages.MessageStatus.as_view(), name="sms-status"),
    # 9 and 10: farewell, wrap-up
    path("<int:pk>/promise/", ending.Promise.as_view(), name="promise"),
    path("<int:pk>/wrap-up/", wrapup.WrapUp.as_view(), name="wrap-up"),
    path("<int:pk>/references/", wrapup.Reference.as_view(), name="reference"),
]
