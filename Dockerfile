# The tag names the image by version. For a build that can be repeated, pin its digest too: look it up with
#   docker buildx imagetools inspect python:3.11-slim
# and write FROM python:3.11-slim@sha256:<that digest> in both places. None is written here because whoever builds should
# take one that has today's security fixes.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN ["python", "-m", "venv", "/opt/tarla"]
COPY locks/run.txt locks/run.txt
# Ready-made files alone: nothing is compiled, so that no compiler is needed.
RUN ["/opt/tarla/bin/python", "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:", "-r", "locks/run.txt"]
COPY pyproject.toml README.md ./
COPY bot bot
COPY handlers handlers
COPY knowledge knowledge
RUN ["/opt/tarla/bin/python", "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index", "."]
RUN ["/opt/tarla/bin/python", "-m", "pip", "uninstall", "--yes", "pip", "setuptools"]

FROM python:3.11-slim
COPY --from=build /opt/tarla /opt/tarla
# What the process may write: the ledger, its checkpoints, its key, each a volume of its own and nobody else's.
RUN ["install", "-d", "-m", "0700", "-o", "10001", "-g", "10001", \
     "/var/lib/tarla", "/var/lib/tarla-checkpoints", "/var/lib/tarla-key"]
ENV PATH=/opt/tarla/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    TARLA_LEDGER=/var/lib/tarla/ledger.db \
    TARLA_CHECKPOINTS=/var/lib/tarla-checkpoints \
    TARLA_SIGNING_KEY=/var/lib/tarla-key/signing.key \
    TARLA_OPERATIONS=127.0.0.1:9464 \
    TARLA_LOG=json
WORKDIR /opt/tarla
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
VOLUME ["/var/lib/tarla", "/var/lib/tarla-checkpoints", "/var/lib/tarla-key"]
STOPSIGNAL SIGTERM
# Alive, not ready: starting anew mends neither Slack nor a full disk.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 9464, timeout=3); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
CMD ["tarla", "serve", "--socket"]
