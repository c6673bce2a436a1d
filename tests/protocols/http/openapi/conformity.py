"""Whether one answer is as it is described: its code, its headers, its body."""

from __future__ import annotations

import requests
import schemathesis

from tests.protocols.http.openapi.example_requests import DOCUMENT, OPERATIONS, resolved
from tests.protocols.http.openapi.strictness import strict

api = schemathesis.openapi.from_dict(strict(DOCUMENT))


def check_answer(name: str, answer: requests.Response) -> None:
    """Fail unless it is what the operation of that name may answer."""
    operation = OPERATIONS[name]
    code = str(answer.status_code)
    assert code in operation.told["responses"], answer.text
    headers = resolved(operation.told["responses"][code]).get("headers", {})
    missing = [
        each for each, told in headers.items() if told["required"] and each not in answer.headers
    ]
    assert missing == []
    api[operation.path][operation.method].validate_response(answer)
