"""Response bodies in the shapes that providers send, written for these tests."""

from __future__ import annotations

from typing import Any

PROMPT = "a prompt that nobody may keep"
REPLY = "a completion that nobody may keep"


def chat(response_id: str = "chatcmpl-1", **more: Any) -> dict[str, Any]:
    return {
        "id": response_id,
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": REPLY},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 60},
        },
        **more,
    }


def chat_chunks(*, usage: bool, response_id: str = "chatcmpl-2") -> list[dict[str, Any]]:
    shared: dict[str, Any] = {
        "id": response_id,
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
    }
    if usage:
        shared["usage"] = None
    words = [
        {
            **shared,
            "choices": [
                {
                    "index": 0,
                    "delta": {"role": "assistant", "content": word},
                    "finish_reason": None,
                }
            ],
        }
        for word in REPLY.split()
    ]
    end = {**shared, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    last = {
        **shared,
        "choices": [],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
    return [*words, end, *([last] if usage else [])]


def message(response_id: str = "msg_1") -> dict[str, Any]:
    return {
        "id": response_id,
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [{"type": "text", "text": REPLY}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 3,
            "cache_creation_input_tokens": 418,
            "cache_read_input_tokens": 1111,
            "cache_creation": {"ephemeral_5m_input_tokens": 418, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 33,
            "service_tier": "standard",
        },
    }


def message_events(response_id: str = "msg_2") -> list[dict[str, Any]]:
    start = message(response_id) | {"content": [], "stop_reason": None}
    start["usage"] = {**start["usage"], "output_tokens": 1}
    return [
        {"type": "message_start", "message": start},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        },
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": word},
            }
            for word in REPLY.split()
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 33},
        },
        {"type": "message_stop"},
    ]


def response(response_id: str = "resp_1", **more: Any) -> dict[str, Any]:
    return {
        "id": response_id,
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "gpt-5-2025-08-07",
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 80,
            "input_tokens_details": {"cached_tokens": 30},
            "output_tokens": 50,
            "output_tokens_details": {"reasoning_tokens": 32},
            "total_tokens": 130,
        },
        **more,
    }
