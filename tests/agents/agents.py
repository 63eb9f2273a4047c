"""The real agent CLIs for tests: pinned versions from npm in a cache outside the checkout, a home for each that skips
onboarding, and an environment that leads to the stand-in model (model.py) and nowhere else.

The cache is $GANGER_TEST_CACHE, else ~/.cache/ganger-tests. `python3 tests/agents/agents.py` fills it.
"""
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = {
    "claude": "@anthropic-ai/claude-code@2.1.329",
    "codex": "@openai/codex@0.169.0",
    "gemini": "@google/gemini-cli@0.61.0",
    "opencode": "opencode-ai@1.18.33",
}
NODE = "node@22"
INSTALL_SECONDS = 400


class Unavailable(Exception):
    """An agent cannot be installed; says why."""


def cache():
    return Path(os.environ.get("GANGER_TEST_CACHE") or Path.home() / ".cache/ganger-tests")


def program(agent):
    return cache() / agent / "node_modules/.bin" / agent


def install(agent):
    """Installs an agent unless it is there; several processes may ask at once. Raises Unavailable."""
    cache().mkdir(parents=True, exist_ok=True)
    with open(cache() / f"{agent}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if program(agent).exists():
            return
        failed = cache() / f"{agent}.failed"
        if failed.exists() and failed.read_text().startswith(run_id()):
            raise Unavailable(failed.read_text().split("\n", 1)[1])
        try:
            npm_install(agent, NODE if agent == "node" else PACKAGES[agent])
        except Unavailable as reason:
            failed.write_text(f"{run_id()}\n{reason}")
            raise


def run_id():
    """Names one run of the tests, so that a failure is tried again in the next run only."""
    return os.environ.get("GANGER_TEST_RUN", str(os.getppid()))


def npm_install(agent, package):
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is not installed")
    folder = cache() / agent
    partial = cache() / f"{agent}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    path = os.pathsep.join([str(program("node").parent), os.environ.get("PATH", os.defpath)])
    try:
        made = subprocess.run([npm, "install", "--loglevel=error", "--no-fund", "--no-audit", "--fetch-retries=1", "--fetch-timeout=60000",
                               "--prefix", str(partial), package], env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        shutil.rmtree(partial, ignore_errors=True)
        raise Unavailable(f"npm install {package} took more than {INSTALL_SECONDS} s") from None
    if made.returncode != 0:
        shutil.rmtree(partial, ignore_errors=True)
        words = (made.stderr + made.stdout).strip().splitlines()
        raise Unavailable(f"npm install {package} failed: {words[0] if words else made.returncode}")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def make_home(agent, home, url, project):
    """Writes a home that skips onboarding and trusts the folder `project`; returns the environment to add."""
    home = Path(home)
    home.mkdir(parents=True, exist_ok=True)
    environment = {"HOME": str(home), "PATH": f"{program('node').parent}:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8",
                   "NO_UPDATE_NOTIFIER": "1"}
    environment.update(HOMES[agent](home, url, str(project)))
    return environment


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def claude_home(home, url, project):
    trusted = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True, "allowedTools": []}
    write(home / ".claude/.claude.json", {
        "hasCompletedOnboarding": True, "lastOnboardingVersion": "2.1.329", "theme": "dark", "numStartups": 3, "autoUpdates": False,
        "hasResetAutoModeOptInForDefaultOffer": True, "hasSeenAutoDefaultNudge": True,
        "customApiKeyResponses": {"approved": ["00000000000000000000"], "rejected": []}, "projects": {project: trusted}})
    write(home / ".claude/settings.json", {"permissions": {"defaultMode": "default"}})
    return {"CLAUDE_CONFIG_DIR": str(home / ".claude"), "ANTHROPIC_BASE_URL": url, "CLAUDE_CODE_MAX_RETRIES": "3", "DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1",
            "DISABLE_ERROR_REPORTING": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "ANTHROPIC_API_KEY": "sk-ant-dummy-key-000000000000000000000"}


def codex_home(home, url, project):
    write(home / ".codex/config.toml", f'''model = "gpt-5.5-codex"
model_provider = "standin"
check_for_update_on_startup = false
[model_providers.standin]
name = "standin"
base_url = "{url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
request_max_retries = 2
stream_max_retries = 2
[projects."{project}"]
trust_level = "trusted"
[analytics]
enabled = false
''')
    return {"CODEX_HOME": str(home / ".codex"), "OPENAI_API_KEY": "sk-dummy"}


def gemini_home(home, url, project):
    write(home / ".gemini/settings.json", {
        "general": {"disableAutoUpdate": True, "disableUpdateNag": True, "enableAutoUpdate": False},
        "privacy": {"usageStatisticsEnabled": False}, "telemetry": {"enabled": False},
        "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
        "ui": {"theme": "Default", "showHomeDirectoryWarning": False}, "ide": {"enabled": False, "hasSeenNudge": True}})
    return {"GEMINI_CLI_HOME": str(home), "GEMINI_API_KEY": "dummy", "GOOGLE_GEMINI_BASE_URL": url, "GEMINI_TELEMETRY_ENABLED": "false",
            "NO_BROWSER": "1"}


def opencode_home(home, url, project):
    model = {"name": "Stand-in", "reasoning": True, "tool_call": True, "limit": {"context": 200000, "output": 8192}}
    write(home / ".config/opencode/opencode.json", {
        "autoupdate": False, "share": "disabled", "model": "standin/model", "small_model": "standin/model",
        "provider": {"standin": {"npm": "@ai-sdk/openai-compatible", "name": "Stand-in", "models": {"model": model},
                                 "options": {"baseURL": f"{url}/v1", "apiKey": "sk-dummy"}}},
        "permission": {"bash": "ask", "edit": "ask"}})
    return {"XDG_CONFIG_HOME": str(home / ".config"), "XDG_DATA_HOME": str(home / ".local/share"),
            "XDG_STATE_HOME": str(home / ".local/state"), "XDG_CACHE_HOME": str(home / ".cache"),
            **{f"OPENCODE_DISABLE_{what}": "1" for what in ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS", "SHARE")}}


HOMES = {"claude": claude_home, "codex": codex_home, "gemini": gemini_home, "opencode": opencode_home}


def main():
    for agent in ["node", *PACKAGES]:
        try:
            install(agent)
            print(f"{agent}: {program(agent)}")
        except Unavailable as reason:
            print(f"{agent}: {reason}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
