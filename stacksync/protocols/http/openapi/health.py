"""``/healthz`` and ``/readyz``, described."""

from __future__ import annotations

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

PATHS = [
    Path("/healthz", "health", {"get": LIVENESS}),
    Path("/readyz", "health", {"get": READINESS}),
]
