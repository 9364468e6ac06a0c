"""Settings of Hotline: one file, everything that differs between machines comes from the environment.

Every variable is documented in docs/settings.md; `hotline/base/checks.py` refuses unsafe production values.
"""

import logging
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _
from kombu import Exchange, Queue

from hotline.base.logs import configure_logging, configure_sentry

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Where the embedded servers keep their data, and what was uploaded.
DATA_DIR = Path(env("HOTLINE_DATA", default=str(BASE_DIR / ".local"))).resolve()

# --- What kind of installation this is ---------------------------------------------------------
# Demo mode: sample data, printed logins, a simulated exchange. Serves on 127.0.0.1 only.
DEMO = env.bool("HOTLINE_DEMO", default=False)
DEBUG = env.bool("HOTLINE_DEBUG", default=False)
SECRET_KEY = env(
    "HOTLINE_SECRET_KEY", default="insecure-demo-key-of-hotline-not-for-production-0123456789" if DEMO else ""
)
ALLOWED_HOSTS = env.list("HOTLINE_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("HOTLINE_CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HOTLINE_HTTPS", default=not DEMO)

# --- The hotline's own switches (what the regulation marks as ours) -----------------------------
# V3: an alias may be voiced only once a supervisor has acknowledged it.
ALIAS_NEEDS_ACKNOWLEDGEMENT = env.bool("HOTLINE_ALIAS_NEEDS_ACKNOWLEDGEMENT", default=False)
# S3: an operator acknowledges a new script version before taking calls with it.
SCRIPT_NEEDS_ACKNOWLEDGEMENT = env.bool("HOTLINE_SCRIPT_NEEDS_ACKNOWLEDGEMENT", default=True)
# D1: a talk that lasted longer than this (seconds) was a dialog, whatever was pressed in it.
GREETING_SECONDS = env.int("HOTLINE_GREETING_SECONDS", default=45)

# Where no service centre serves the client's city: how many of the nearest are offered, and within how many kilometres.
MATCH_NEAREST_LIMIT = env.int("HOTLINE_MATCH_NEAREST_LIMIT", default=3)
MATCH_NEAREST_KM = env.int("HOTLINE_MATCH_NEAREST_KM", default=500)

# --- Applications -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "hotline.base",
    "hotline.operators",
    "service_centers",
    "sms",
    "tickets",
    "calls",
    "hotline.desk",
    "hotline.operators.apps.HotlineAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "axes",
    "csp",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "pghistory",
    "pgtrigger",
    "rest_framework",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "hotline.operators.middleware.PersonalLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "hotline.base.middleware.UnkeepableInputMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "hotline.urls"
ASGI_APPLICATION = "hotline.asgi.application"
FORM_RENDERER = "hotline.base.forms.Renderer"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "hotline.base.context.house",
            ],
            "builtins": ["hotline.base.templatetags.house"],
        },
    }
]

# --- Database: PostgreSQL only, 15 to 18 --------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default="postgres://hotline@127.0.0.1:5432/hotline")}
DATABASES["default"] |= {
    "ENGINE": "django.db.backends.postgresql",
    # Persistent connections under ASGI end in «too many clients»: psycopg's pool instead, checked at start.
    "CONN_MAX_AGE": 0,
    # What DATABASE_URL says after its «?» (sslmode and the like) stays.
    "OPTIONS": {**DATABASES["default"].get("OPTIONS", {}), "application_name": "hotline"},
}
# 0 is for tests and single commands: without a pool every thread has its own connection (refused outside the demo).
if DB_POOL_MAX := env.int("HOTLINE_DB_POOL_MAX", default=12):
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": min(env.int("HOTLINE_DB_POOL_MIN", default=1), DB_POOL_MAX),
        "max_size": DB_POOL_MAX,
        "timeout": 10,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PGHISTORY_APPEND_ONLY = True

# --- Celery -------------------------------------------------------------------------------------
CELERY_BROKER_URL = env("CELERY_BROKER_URL", default="redis://127.0.0.1:6379/0")
# Several installations may share a broker, never a queue.
CELERY_TASK_DEFAULT_QUEUE = env("HOTLINE_QUEUE", default="hotline")
# What keeps the house has its own queue: it must not wait behind ten thousand messages. A worker
# takes from both in turn.
_HOUSEKEEPING = f"{CELERY_TASK_DEFAULT_QUEUE}-housekeeping"
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name, type="direct"), routing_key=name) for name in (CELERY_TASK_DEFAULT_QUEUE, _HOUSEKEEPING)
]
# What beat has done, and every how many seconds.
_EVERY = {
    "sms.tasks.sweep": 2,
    "hotline.base.tasks.heartbeat": 10,
    "calls.tasks.follow_up_messages": 20,
    "calls.tasks.end_stale_rings": 60,
    "sms.tasks.check_balances": 600,
}
CELERY_TASK_ROUTES = {name: {"queue": _HOUSEKEEPING, "routing_key": _HOUSEKEEPING} for name in _EVERY}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A worker that was killed leaves RabbitMQ its control queue for a while. Were that exclusive, the next one of its name
# would end with 405 RESOURCE_LOCKED. Switching remote control off instead is no way: it is by this queue's connection
# that a worker on Redis with its hands full hears of the broker's death; without, it hangs (tests/sms/test_chaos.py).
CELERY_CONTROL_QUEUE_EXCLUSIVE = False
CELERY_CONTROL_QUEUE_DURABLE = True
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A broker that is down must answer quickly: nobody waits for it with a client on the line (sms/broker.py).
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
if CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "visibility_timeout": 300,
        "unacked_restore_interval": 1,
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS |= {"confirm_publish": True, "read_timeout": 5, "write_timeout": 5}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
# What nobody took in time is left undone, for there are newer ones; that is judged by the clocks of two machines, and
# so never within a minute: the sweep would be switched off where they are two seconds apart.
CELERY_BEAT_SCHEDULE = {
    task: {"task": task, "schedule": float(seconds), "options": {"expires": max(60, seconds)}}
    for task, seconds in _EVERY.items()
}

# --- Sign-in ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "operators.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "hotline.operators.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "operators:login"
LOGIN_REDIRECT_URL = "desk:start"
LOGOUT_REDIRECT_URL = "operators:login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "hotline.operators.views.shift.locked"
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False  # the list of staff says who is locked out, and unlocks
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address"]

# --- Language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "ru"
LANGUAGES = [("ru", _("Russian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "hotline" / "locale"]
TIME_ZONE = env("HOTLINE_TIME_ZONE", default="Europe/Moscow")
USE_TZ = True

# --- Files --------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO or DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEMO or DEBUG
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"

# --- Closed by default --------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 14 * 60 * 60  # a long shift, not a fortnight
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- API ----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "hotline.operators.authentication.TokenAuthentication",
        "hotline.operators.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["hotline.operators.permissions.RolePermission"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "hotline.base.api.KeysetPagination",
    "DEFAULT_PARSER_CLASSES": [
        "hotline.base.json.JSONParser",
        "hotline.base.json.FormParser",
        "hotline.base.json.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["hotline.base.json.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "hotline.base.api.exception_handler",
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Hotline",
    "DESCRIPTION": "A back office for a telephone hotline that carries out the call regulation itself.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["hotline.operators.permissions.RolePermission"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "hotline.base.api_errors.document_errors",
    ],
    "ENUM_NAME_OVERRIDES": {
        "AppealKindEnum": "tickets.models.Appeal.Kind",
        "AppealStateEnum": "tickets.models.Appeal.State",
        "AssignmentStateEnum": "tickets.models.Assignment.State",
        "CallDirectionEnum": "calls.models.Call.Direction",
        "FactSourceEnum": "tickets.models.FactSource",
        "PromisedCallBackStateEnum": "calls.models.PromisedCallBack.State",
        "SmsPartStateEnum": "sms.models.SmsPart.State",
        "SmsStateEnum": "sms.models.SmsMessage.State",
        "SmsTemplateKindEnum": "sms.models.SmsTemplate.Kind",
    },
}

# --- SMS ----------------------------------------------------------------------------------------
# The number that clients call, as it is written to them: {hotline_phone} of the templates.
HOTLINE_PHONE = env("HOTLINE_PHONE", default="8 800 000-00-00" if DEMO else "")
# Gateways in order (docs/sms.md): the next takes over only what the one before surely did not get. None: SMS are
# switched off, everything is dictated. "development" delivers into a separate loopback process whose messages a person
# can read; nothing leaves the machine.
SMS_GATEWAYS = env.list("HOTLINE_SMS_GATEWAYS", default=["development"] if DEMO else [])
# The name that the client sees; other names, each with gateways of its own: «VESTRA=smpp+smsc,POLUS=smsru».
SMS_SENDER = env("HOTLINE_SMS_SENDER", default="HOTLINE")
SMS_SENDERS = {
    name: gateways.split("+") for name, gateways in env.dict("HOTLINE_SMS_SENDERS", default={}).items() if gateways
}
# Seconds that a gateway has to answer; a message is leased to its submission for longer than that (docs/sms.md).
SMS_TIMEOUT = env.float("HOTLINE_SMS_TIMEOUT", default=10)
SMS_DEVELOPMENT_URL = env("HOTLINE_SMS_DEVELOPMENT_URL", default="http://127.0.0.1:8025")
# Part of the address that gateways call back: /api/v1/sms/callbacks/<gateway>/<secret>/
SMS_CALLBACK_SECRET = env("HOTLINE_SMS_CALLBACK_SECRET", default="")
# And what stands before it, where a gateway is told with each message where to call: https://hotline.example.ru
SMS_CALLBACK_ORIGIN = env("HOTLINE_SMS_CALLBACK_ORIGIN", default="")
# Messages that a rule sends by itself wait until these hours are over in the client's city.
SMS_QUIET_HOURS = env("HOTLINE_SMS_QUIET_HOURS", default="21:00-09:00")
# At most so many to one number in a day; 0: no limit.
SMS_DAILY_PER_NUMBER = env.int("HOTLINE_SMS_DAILY_PER_NUMBER", default=10)

SMSC_URL = env("HOTLINE_SMSC_URL", default="https://smsc.ru")
SMSC_LOGIN = env("HOTLINE_SMSC_LOGIN", default="")
SMSC_PASSWORD = env("HOTLINE_SMSC_PASSWORD", default="")
SMSAERO_URL = env("HOTLINE_SMSAERO_URL", default="https://gate.smsaero.ru/v2")
SMSAERO_EMAIL = env("HOTLINE_SMSAERO_EMAIL", default="")
SMSAERO_API_KEY = env("HOTLINE_SMSAERO_API_KEY", default="")
SMSRU_URL = env("HOTLINE_SMSRU_URL", default="https://sms.ru")
SMSRU_API_ID = env("HOTLINE_SMSRU_API_ID", default="")

SMPP_HOST = env("HOTLINE_SMPP_HOST", default="")
SMPP_PORT = env.int("HOTLINE_SMPP_PORT", default=2775)
SMPP_TLS = env.bool("HOTLINE_SMPP_TLS", default=False)
SMPP_SYSTEM_ID = env("HOTLINE_SMPP_SYSTEM_ID", default="")
SMPP_PASSWORD = env("HOTLINE_SMPP_PASSWORD", default="")
SMPP_SYSTEM_TYPE = env("HOTLINE_SMPP_SYSTEM_TYPE", default="")
# Parts that may wait for their answer at the same time, and parts a second, of one process.
SMPP_WINDOW = env.int("HOTLINE_SMPP_WINDOW", default=10)
SMPP_PER_SECOND = env.int("HOTLINE_SMPP_PER_SECOND", default=10)
# Some centres give ids in hexadecimal and name them in decimal in receipts: «same», or «hex-dec».
SMPP_RECEIPT_IDS = env("HOTLINE_SMPP_RECEIPT_IDS", default="same")

# --- Logs, errors, metrics ----------------------------------------------------------------------
LOGGING = configure_logging(
    level=env("HOTLINE_LOG_LEVEL", default="INFO"), as_json=env.bool("HOTLINE_LOG_JSON", default=not DEMO)
)
DJANGO_STRUCTLOG_CELERY_ENABLED = False
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG  # one line a request: the finished one
METRICS_TOKEN = env("HOTLINE_METRICS_TOKEN", default="")
configure_sentry(env("SENTRY_DSN", default=""))

SILENCED_SYSTEM_CHECKS: list[str] = []
