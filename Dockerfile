# syntax=docker/dockerfile:1
# Any base with Python 3.11 or newer as `python3`, with venv; docs/operations.md says how to run the image.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY requirements/run.txt requirements/build.txt requirements/
RUN python3 -m venv /opt/hostwatch \
    && /opt/hostwatch/bin/python -m pip install --no-cache-dir --no-compile \
        --require-hashes --only-binary :all: -r requirements/run.txt \
    && python3 -m venv /tmp/build \
    && /tmp/build/bin/python -m pip install --no-cache-dir \
        --require-hashes --only-binary :all: -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY hostwatch/ hostwatch/
COPY container/entry.py /opt/hostwatch/share/entry.py
# Compiled here, for at run time the root is read-only. Nothing is installed later, so pip goes.
RUN /tmp/build/bin/hatchling build -t wheel -d /tmp/wheel \
    && /opt/hostwatch/bin/python -m pip install --no-cache-dir --no-compile --no-deps --no-index \
        --find-links /tmp/wheel hostwatch \
    && /opt/hostwatch/bin/python -m pip uninstall --yes --quiet setuptools pip \
    && /opt/hostwatch/bin/python -m compileall -q /opt/hostwatch/lib \
    && cp /opt/hostwatch/bin/python3 /opt/hostwatch/bin/python-net-raw \
    && mkdir /empty

FROM ${BASE}
LABEL org.opencontainers.image.title="hostwatch" \
      org.opencontainers.image.description="The daemon with which a datacentre keeps its word" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/hostwatch /opt/hostwatch
COPY --from=build /empty /etc/hostwatch
COPY --from=build --chown=65532:65532 /empty /var/lib/hostwatch
# Here and not above: a copy from one stage to another may lose the attribute.
COPY container/grant.py /opt/hostwatch/share/grant.py
RUN ["python3", "/opt/hostwatch/share/grant.py", "/opt/hostwatch/bin/python-net-raw"]

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /var/lib/hostwatch
VOLUME ["/var/lib/hostwatch"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/opt/hostwatch/bin/python", "-I", "-c", \
         "import urllib.request as r; r.urlopen('http://127.0.0.1:9464/-/healthy', timeout=4)"]
ENTRYPOINT ["/opt/hostwatch/bin/python-net-raw", "-I", "/opt/hostwatch/share/entry.py"]
CMD ["run", "--config", "/etc/hostwatch/hostwatch.yaml"]
