"""The headers that let the pages of other origins read an answer."""


def cors_headers(origin: str, allowed: tuple[str, ...], *, preflight: bool) -> dict[str, str]:
    """Return the headers for a request's `Origin`; see https://fetch.spec.whatwg.org/#http-cors-protocol.

    Errors need them too, or the page cannot read the error.

    Args:
        allowed: `SearchSettings.cors_origins`.
        preflight: whether a browser is asking what it may send.
    """
    headers = {}
    if allowed == ("*",):
        granted = "*"
    else:
        headers["Vary"] = "Origin"
        granted = origin if origin in allowed else ""
    if granted:
        headers["Access-Control-Allow-Origin"] = granted
        headers["Access-Control-Expose-Headers"] = "Retry-After, Server-Timing, X-Request-Id"
        headers["Timing-Allow-Origin"] = granted
        if preflight:
            headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, OPTIONS"
            headers["Access-Control-Allow-Headers"] = "Content-Type, X-Request-Id"
            headers["Access-Control-Max-Age"] = "86400"
    return headers
