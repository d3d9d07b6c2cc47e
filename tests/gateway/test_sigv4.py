"""Signatures: the example that AWS publishes, and what botocore writes of the same request."""

from __future__ import annotations

from tallybook.clock import parse_instant
from tallybook.gateway.sigv4 import canonical_query, signed

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def test_the_published_example():
    """Of the page "Create a signed AWS API request": ListUsers of IAM."""
    headers = signed(
        ("AKIDEXAMPLE", SECRET, ""),
        method="GET",
        path="/",
        query="Action=ListUsers&Version=2010-05-08",
        headers={
            "host": "iam.amazonaws.com",
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        },
        body=b"",
        region="us-east-1",
        service="iam",
        now_us=parse_instant("2015-08-30T12:36:00Z"),
    )
    assert dict(headers) == {
        b"X-Amz-Date": b"20150830T123600Z",
        b"Authorization": b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/"
        b"aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature="
        b"5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    }


def test_a_query_is_written_in_one_way():
    assert canonical_query("b=2&a=1&a=0&c&d=%7e x") == "a=0&a=1&b=2&c=&d=~%20x"


def test_a_session_token_is_signed_too():
    headers = dict(
        signed(
            ("AK", "s", "token"),
            method="POST",
            path="/model/a%3A0/converse",
            query="",
            headers={"host": "h"},
            body=b"{}",
            region="eu-west-1",
            service="bedrock",
            now_us=0,
        )
    )
    assert headers[b"X-Amz-Security-Token"] == b"token"
    assert b"SignedHeaders=host;x-amz-date;x-amz-security-token" in headers[b"Authorization"]
