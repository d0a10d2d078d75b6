"""Django REST framework and simplejwt, as its guide sets it up: rotation and blacklist, and /api/me."""
import os
import sys
from datetime import timedelta

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="a-secret-of-this-server-on-loopback",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt.token_blacklist",
        "corsheaders",
    ],
    MIDDLEWARE=["corsheaders.middleware.CorsMiddleware", f"{__name__}.log_requests"],
    CORS_ALLOW_ALL_ORIGINS=True,  # And no cookies.
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATA"] + "/db.sqlite3"}
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
        "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework_simplejwt.views import (  # noqa: E402
    TokenBlacklistView,
    TokenObtainPairView,
    TokenRefreshView,
)

projects = {}


def log_requests(get_response):
    def middleware(request):
        print(request.method, request.path)
        return get_response(request)

    return middleware


@api_view(["GET"])
def me(request):
    user = request.user
    return Response({"id": user.id, "username": user.username, "is_staff": user.is_staff})


class ProjectSerializer(serializers.Serializer):
    name = serializers.CharField(min_length=2)


@api_view(["GET", "POST"])
def projects_view(request):
    mine = projects.setdefault(request.user.username, [])
    if request.method == "GET":
        return Response(mine)
    project = ProjectSerializer(data=request.data)
    project.is_valid(raise_exception=True)
    mine.append(project.data)
    return Response(project.data)


urlpatterns = [
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/token/blacklist/", TokenBlacklistView.as_view()),
    path("api/me", me),
    path("api/projects", projects_view),
]

if __name__ == "__main__" and sys.argv[1:] == ["disable"]:
    User.objects.filter(username="demo").update(is_active=False)
elif __name__ == "__main__":
    call_command("migrate", verbosity=0)
    for username in ("admin", "demo"):
        if not User.objects.filter(username=username).exists():
            User.objects.create_user(username, password="password", is_staff=username == "admin")
    call_command("runserver", f"127.0.0.1:{os.environ['PORT']}", use_reloader=False)
