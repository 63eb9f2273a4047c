"""How each vendor refuses: what `[model:NAME]` with one of these names makes of a request, in the vendor's own format.
A number is written right behind the name.

  busyK   429 that names no reset, for the first K requests (without a number: always)
  afterS  429 with "retry-after: S", until S seconds after the first refusal
  quotaS  the subscription's limit, with a reset S seconds after the first refusal; from then on it is answered
  overK   overloaded, for the first K requests (always)
  failK   an internal error of the server, for the first K requests (always)
  authK   the login is not valid, for the first K requests (always)
  credit  no credit is left
  usedP   answered, with headers that say that P percent of the five hours are used, and 31.5 of the seven days

One account (the key that comes with a request) has one count of each: sessions that use it share its limit.
"""
import re
import threading
import time

FORMATS = ("anthropic", "responses", "chat", "gemini")
SEVEN_DAYS = 0.315


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Refused(Exception):
    """The request gets no answer but an error: HTTP status, body, headers."""

    def __init__(self, status, body, headers=None):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


def utilization(status, five_hours, resets_at):
    """Anthropic's headers of a subscription; shares are 0 to 1."""
    prefix = "anthropic-ratelimit-unified-"
    later = int(time.time()) + 4 * 86400
    return {prefix + "status": status, prefix + "reset": str(resets_at), prefix + "representative-claim": "five_hour",
            prefix + "5h-status": status, prefix + "5h-reset": str(resets_at), prefix + "5h-utilization": str(five_hours),
            prefix + "7d-status": "allowed", prefix + "7d-reset": str(later), prefix + "7d-utilization": str(SEVEN_DAYS),
            prefix + "overage-status": "rejected", prefix + "overage-disabled-reason": "org_level_disabled"}


def windows(percent, resets_at):
    """Codex' headers of the same."""
    later, now = int(time.time()) + 4 * 86400, int(time.time())
    return {"x-codex-primary-used-percent": str(percent), "x-codex-primary-window-minutes": "300",
            "x-codex-primary-reset-at": str(resets_at), "x-codex-primary-reset-after-seconds": str(resets_at - now),
            "x-codex-secondary-used-percent": str(SEVEN_DAYS * 100), "x-codex-secondary-window-minutes": "10080",
            "x-codex-secondary-reset-at": str(later), "x-codex-secondary-reset-after-seconds": str(later - now),
            "x-codex-plan-type": "plus", "x-codex-active-limit": "primary"}


def used(kind, percent):
    """The headers of a good answer."""
    resets_at = int(time.time()) + 7200
    return {"anthropic": lambda: utilization("allowed" if percent < 90 else "allowed_warning", percent / 100, resets_at),
            "responses": lambda: windows(percent, resets_at)}.get(kind, dict)()


class Refusals:
    """What was refused so far, by account and name. `check` raises Refused, or returns headers for the answer."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts, self.first = {}, {}

    def check(self, kind, account, name):
        found = re.fullmatch(r"(busy|after|quota|over|fail|auth|credit|used)(\d*)", name)
        if not found:
            return {}
        name, number = found[1], int(found[2]) if found[2] else None
        if name == "used":
            return used(kind, number or 0)
        with self.lock:
            key = (account, found[0])
            self.counts[key] = count = self.counts.get(key, 0) + 1
            until = self.first.setdefault(key, time.time()) + (number or 0)
        over = time.time() >= int(until) + 1 if name in ("after", "quota") else number is not None and count > number
        if not over:
            raise getattr(self, name)(kind, int(until) + 1)
        return {}

    # ---- each refusal ----
    def busy(self, kind, _):
        return too_many(kind, None)

    def after(self, kind, until):
        return too_many(kind, max(1, until - int(time.time())))

    def quota(self, kind, until):
        left = max(1, until - int(time.time()))
        if kind == "anthropic":
            headers = {**utilization("rejected", 1.0, until), "retry-after": str(left), "x-should-retry": "false"}
            return anthropic(429, "rate_limit_error", "This request would exceed your account's rate limit. Please try again later.", headers)
        if kind == "gemini":
            return gemini(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota (requests per day).", quota_details("PerDay", left))
        headers = windows(100, until) if kind == "responses" else {"retry-after": str(left)}
        return openai(429, "usage_limit_reached", "The usage limit has been reached", "usage_limit_reached", headers,
                      plan_type="plus", resets_at=until, resets_in_seconds=left)

    def over(self, kind, _):
        if kind == "anthropic":
            return anthropic(529, "overloaded_error", "Overloaded")
        if kind == "gemini":
            return gemini(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
        return openai(503, "server_error", "The engine is currently overloaded, please try again later", "slow_down")

    def fail(self, kind, _):
        if kind == "anthropic":
            return anthropic(500, "api_error", "Internal server error")
        if kind == "gemini":
            return gemini(500, "INTERNAL", "An internal error has occurred. Please retry.")
        return openai(500, "server_error", "The server had an error while processing your request.")

    def auth(self, kind, _):
        if kind == "anthropic":
            return anthropic(401, "authentication_error", "invalid x-api-key")
        if kind == "gemini":
            return gemini(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        return openai(401, "invalid_request_error", "Incorrect API key provided: sk-dummy.", "invalid_api_key")

    def credit(self, kind, _):
        if kind == "anthropic":
            return anthropic(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API. "
                             "Please go to Plans & Billing to upgrade or purchase credits.")
        if kind == "gemini":
            details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "INSUFFICIENT_G1_CREDITS_BALANCE",
                        "domain": "cloudcode-pa.googleapis.com"}]
            return gemini(429, "RESOURCE_EXHAUSTED", "Your credits are used up.", details)
        return openai(429, "insufficient_quota", "You exceeded your current quota, please check your plan and billing details.",
                      "insufficient_quota")


def anthropic(status, kind, message, headers=None):
    return Refused(status, {"type": "error", "error": {"type": kind, "message": message}}, headers)


def openai(status, kind, message, code=None, headers=None, **more):
    return Refused(status, {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}, headers)


def gemini(code, status, message, details=()):
    return Refused(code, {"error": {"code": code, "message": message, "status": status, "details": list(details)}})


def quota_details(period, seconds):
    violation = {"quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
                 "quotaId": f"GenerateRequests{period}PerProjectPerModel"}
    details = [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}]
    if seconds:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds}s"})
    return details


def too_many(kind, seconds):
    headers = {"retry-after": str(seconds)} if seconds else {}
    if kind == "anthropic":
        return anthropic(429, "rate_limit_error", "This request would exceed your organization's rate limit.",
                         {**headers, **({"anthropic-ratelimit-requests-reset": iso(time.time() + seconds)} if seconds else {})})
    if kind == "gemini":
        return gemini(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted.", quota_details("PerMinute", seconds) if seconds else ())
    return openai(429, "requests", "Rate limit reached for stand-in." + (f" Please try again in {seconds}s." if seconds else ""),
                  "rate_limit_exceeded", headers)
