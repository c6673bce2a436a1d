"""``/healthz``, ``/readyz`` and ``/metrics``, described."""

from __future__ import annotations

from stacksync.metrics import CONTENT_TYPE as METRICS_TYPE
from stacksync.protocols.http.openapi.parts import Operation, Path, answer, schema
from stacksync.protocols.http.openapi.problems import problems

LIVENESS = Operation(
    "showLiveness",
    "Is the process alive?",
    {
        200: answer("It is, since it answers.", schema("Liveness")),
        **problems(signed_in=False),
    },
    open_to_all=True,
)
READINESS = Operation(
    "showReadiness",
    "Can it do its work?",
    {
        200: answer("Every part is up.", schema("Readiness"), example={"database": "ok"}),
        503: answer(
            "A part has a problem.",
            schema("Readiness"),
            example={"database": "no answer within 2 s"},
        ),
        **problems(signed_in=False),
    },
    open_to_all=True,
)
METRICS = Operation(
    "showMetrics",
    "Numbers about this instance",
    {
        200: answer(
            "All numbers, in the text format of Prometheus.",
            {"type": "string"},
            media=METRICS_TYPE,
            example='stacksync_jobs_unfinished{kind="copy"} 2.0\n',
        ),
        **problems(signed_in=False),
    },
    open_to_all=True,
)

PATHS = [
    Path("/healthz", "health", {"get": LIVENESS}),
    Path("/readyz", "health", {"get": READINESS}),
    Path("/metrics", "health", {"get": METRICS}),
]
