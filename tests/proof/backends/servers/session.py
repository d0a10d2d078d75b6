"""Django REST framework with sessions and the CSRF cookie, for an app with cookies only."""
import os
from datetime import timedelta

import django
from corsheaders.defaults import default_headers
from django.conf import settings

settings.configure(
    SECRET_KEY="a-secret-of-this-server-on-loopback",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "rest_framework",
        "corsheaders",
    ],
    MIDDLEWARE=[
        "corsheaders.middleware.CorsMiddleware",
        f"{__name__}.log_requests",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATA"] + "/db.sqlite3"}
    },
    SESSION_COOKIE_AGE=int(timedelta(days=7).total_seconds()),
    CSRF_COOKIE_NAME="XSRF-TOKEN",
    CSRF_HEADER_NAME="HTTP_X_XSRF_TOKEN",
    CSRF_TRUSTED_ORIGINS=os.environ["ORIGINS"].split(),
    CORS_ALLOWED_ORIGINS=os.environ["ORIGINS"].split(),
    CORS_ALLOW_CREDENTIALS=True,
    CORS_ALLOW_HEADERS=[*default_headers, "x-xsrf-token"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "loggers": {"django.server": {"level": "ERROR"}},
    },
    REST_FRAMEWORK={
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
)
django.setup()

from django.contrib.auth import authenticate, login, logout  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views.decorators.csrf import csrf_protect, ensure_csrf_cookie  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.authentication import SessionAuthentication  # noqa: E402
from rest_framework.exceptions import ValidationError  # noqa: E402
from rest_framework.permissions import AllowAny  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

projects = {}


def log_requests(get_response):
    def middleware(request):
        print(request.method, request.path)
        return get_response(request)

    return middleware


class Session(SessionAuthentication):
    def authenticate_header(self, request):
        return "Session"


class View(APIView):
    authentication_classes = [Session]


class ProjectSerializer(serializers.Serializer):
    name = serializers.CharField(min_length=2)


@method_decorator(ensure_csrf_cookie, name="dispatch")
class Csrf(View):
    permission_classes = [AllowAny]

    def get(self, request):
        return Response(status=204)


@method_decorator(csrf_protect, name="dispatch")
class Login(View):
    permission_classes = [AllowAny]

    def post(self, request):
        user = authenticate(username=request.data.get("email"), password=request.data.get("password"))
        if not user:
            raise ValidationError({"non_field_errors": ["Unable to log in with provided credentials."]})
        login(request, user)
        print("signed in")
        return Response(status=204)


class Logout(View):
    def post(self, request):
        logout(request)
        return Response(status=204)


class Me(View):
    def get(self, request):
        return Response({"id": request.user.id, "name": request.user.username, "email": request.user.username})


class Projects(View):
    def get(self, request):
        return Response(projects.setdefault(request.user.username, []))

    def post(self, request):
        project = ProjectSerializer(data=request.data)
        project.is_valid(raise_exception=True)
        projects.setdefault(request.user.username, []).append(project.data)
        return Response(project.data)


urlpatterns = [
    path("api/sanctum/csrf-cookie", Csrf.as_view()),
    path("api/login", Login.as_view()),
    path("api/logout", Logout.as_view()),
    path("api/user", Me.as_view()),
    path("api/projects", Projects.as_view()),
]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    for username in ("admin", "demo"):
        if not User.objects.filter(username=username).exists():
            User.objects.create_user(username, password="password")
    call_command("runserver", f"127.0.0.1:{os.environ['PORT']}", use_reloader=False)
