"""An error of ours in the shape of the provider's own, so that its clients raise what they know."""

from __future__ import annotations

import json
from http.client import responses
from typing import Any, Final

from tallybook.gateway.model import Kind, Refusal

_OPENAI: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_ANTHROPIC: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_GOOGLE: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_BEDROCK: Final = {
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    429: "ThrottlingException",
    500: "InternalServerException",
    502: "ModelErrorException",
    503: "ServiceUnavailableException",
    504: "ModelTimeoutException",
}
_SERVER: Final = 500


def error_body(kind: Kind, refusal: Refusal) -> dict[str, Any]:
    """The JSON body of an error."""
    status, message = refusal.status, refusal.message
    ours = status >= _SERVER
    if kind == "anthropic":
        other = "api_error" if ours else "invalid_request_error"
        told = {"type": _ANTHROPIC.get(status, other), "message": message, "code": refusal.code}
        return {"type": "error", "error": told | _ours(refusal)}
    if kind in ("gemini", "vertex"):
        word = _GOOGLE.get(status, "INTERNAL" if ours else "INVALID_ARGUMENT")
        reason: dict[str, Any] = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": refusal.code,
        }
        if refusal.details:
            reason["metadata"] = dict(refusal.details)
        told_google = {"code": status, "message": message, "status": word, "details": [reason]}
        return {"error": told_google}
    if kind == "bedrock":
        return {"message": message, "code": refusal.code} | _ours(refusal)
    other = "server_error" if ours else "invalid_request_error"
    word = _OPENAI.get(status, other)
    shown = {"message": message, "type": word, "param": None, "code": refusal.code}
    return {"error": shown | _ours(refusal)}


def _ours(refusal: Refusal) -> dict[str, Any]:
    """Figures beside the members that the provider's clients know."""
    return {"details": dict(refusal.details)} if refusal.details else {}


def error_answer(kind: Kind, refusal: Refusal, *, close: bool) -> bytes:
    """The whole answer, head and body."""
    body = json.dumps(error_body(kind, refusal), ensure_ascii=False).encode()
    lines = [
        f"HTTP/1.1 {refusal.status} {responses.get(refusal.status, 'Error')}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        f"x-tallybook-error: {refusal.code}",
    ]
    if kind == "bedrock":
        word = _BEDROCK.get(refusal.status, "ValidationException")
        lines.append(f"x-amzn-errortype: {word}")
    if refusal.retry_after_s is not None:
        lines.append(f"retry-after: {refusal.retry_after_s}")
    if refusal.is_final:
        lines.append("x-should-retry: false")  # the clients of OpenAI and Anthropic heed it
    if close:
        lines.append("connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def error_event(kind: Kind, refusal: Refusal) -> bytes:
    """The same as the last event of a stream of server-sent events."""
    body = json.dumps(error_body(kind, refusal), ensure_ascii=False).encode()
    name = b"event: error\n" if kind == "anthropic" else b""
    return name + b"data: " + body + b"\n\n"
