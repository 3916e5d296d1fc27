"""Keys that nobody has to set, and keys that tools read by themselves."""

from fnmatch import fnmatchcase

_GIVEN = (
    *("PATH", "HOME", "USER", "USERNAME", "LOGNAME", "SHELL", "PWD", "OLDPWD", "HOSTNAME", "TERM"),
    *("TMPDIR", "TEMP", "TMP", "DISPLAY", "EDITOR", "VISUAL", "PAGER", "COLUMNS", "LINES", "UID"),
    *("GID", "EUID", "RANDOM", "SECONDS", "LANG", "LANGUAGE", "LC_*", "TZ", "XDG_*", "SSH_*"),
    *("APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "SYSTEMROOT", "USERPROFILE"),
    *("COMSPEC", "WINDIR", "VIRTUAL_ENV", "CONDA_*", "NO_COLOR", "FORCE_COLOR", "COLORTERM"),
    *(
        "CI",
        "GITHUB_*",
        "GITLAB_*",
        "PYTEST_*",
        "TOX_*",
        "NOX_*",
        "COVERAGE_*",
        "BASH_*",
        "FUNCNAME",
    ),
    *("PS1", "IFS", "OPTARG", "OPTIND", "PYCHARM_*", "VSCODE_*", "WERKZEUG_*", "INVOCATION_ID"),
    *("JOURNAL_STREAM", "KUBERNETES_*", "DYNO", "HEROKU_*", "LAMBDA_TASK_ROOT", "_"),
    *("AWS_LAMBDA_*", "K_SERVICE", "K_REVISION", "FLY_APP_NAME", "FLY_REGION", "RENDER"),
    *("PYTHON_VERSION", "PYTHON_PIP_VERSION", "PYTHON_SHA256", "NODE_VERSION", "YARN_VERSION"),
    *("VERCEL", "VERCEL_*", "NETLIFY", "__*"),
)
"""Set by the system, the shell, the platform, a test runner, the official images."""

_TOOLS = (
    *("FLASK_APP", "FLASK_ENV", "FLASK_DEBUG", "FLASK_RUN_*", "FLASK_SKIP_DOTENV", "WERKZEUG_*"),
    *("GUNICORN_CMD_ARGS", "WEB_CONCURRENCY", "UVICORN_*", "FORWARDED_ALLOW_IPS", "HYPERCORN_*"),
    *("DJANGO_SETTINGS_MODULE", "DJANGO_SUPERUSER_*", "DJANGO_ALLOW_ASYNC_UNSAFE"),
    *(
        "CELERY_BROKER_URL",
        "CELERY_RESULT_BACKEND",
        "CELERY_CONFIG_MODULE",
        "FLOWER_*",
        "C_FORCE_ROOT",
    ),
    *("PYTHON[A-Z]*", "PIP_*", "UV_*", "POETRY_*", "PIPENV_*", "PIPX_*", "VIRTUAL_ENV"),
    *("NODE_ENV", "NODE_OPTIONS", "NODE_PATH", "NODE_EXTRA_CA_CERTS", "NODE_TLS_*", "NODE_NO_*"),
    *(
        "NPM_CONFIG_*",
        "npm_config_*",
        "YARN_*",
        "PNPM_*",
        "CHOKIDAR_*",
        "WATCHPACK_*",
        "PORT",
        "HOST",
    ),
    *(
        "NEXT_TELEMETRY_DISABLED",
        "NEXTAUTH_URL",
        "NEXTAUTH_SECRET",
        "GENERATE_SOURCEMAP",
        "BROWSER",
    ),
    *(
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    ),
    *("SSL_CERT_*", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "TZ", "LANG", "LANGUAGE", "LC_*"),
    *("PG[A-Z]*", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"),
    *("POSTGRES_HOST_AUTH_METHOD", "MYSQL_*", "MARIADB_*", "MONGO_INITDB_*", "RABBITMQ_DEFAULT_*"),
    *(
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_PROFILE",
    ),
    *(
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL*",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CLOUD_*",
    ),
    *("GCLOUD_*", "CLOUDSDK_*", "AZURE_*", "SENTRY_DSN", "SENTRY_ENVIRONMENT", "SENTRY_RELEASE"),
    *("OTEL_*", "DD_*", "NEW_RELIC_*", "ELASTIC_APM_*", "PROMETHEUS_MULTIPROC_DIR", "OPENAI_*"),
    *(
        "ANTHROPIC_*",
        "HF_*",
        "TRANSFORMERS_*",
        "CUDA_*",
        "NVIDIA_*",
        "OMP_*",
        "OPENBLAS_*",
        "MKL_*",
    ),
    *("COMPOSE_*", "DOCKER_*", "BUILDKIT_*", "TRAEFIK_*", "LETSENCRYPT_*", "VIRTUAL_HOST"),
    *("VIRTUAL_PORT", "MALLOC_*", "LD_*", "JAVA_*", "JVM_*", "GOMAXPROCS", "GOGC", "GODEBUG"),
    *("RAILS_ENV", "RAILS_LOG_TO_STDOUT", "RAILS_SERVE_STATIC_FILES", "RACK_ENV", "BUNDLE_*"),
    *("DEBIAN_FRONTEND", "TERM", "PATH", "HOME", "USER", "HOSTNAME", "UID", "GID", "PUID", "PGID"),
)
"""Read by programs and libraries whose code is not the project's."""


def is_given(key: str) -> bool:
    """Whether the system sets a key: no settings file lacks it."""
    return any(fnmatchcase(key, pattern) for pattern in _GIVEN)


def is_of_a_tool(key: str) -> bool:
    """Whether a program or library of others may well read a key."""
    return any(fnmatchcase(key, pattern) for pattern in _TOOLS)
