"""`wardgate init DIR`: a wardgate.yaml and a policy folder to start from; overwrites nothing."""

from __future__ import annotations

import pathlib
import shutil

import click

from gateway.services.policy_folder import list_files
from gateway.settings import DEFAULT_FILE, shipped_policies

SETTINGS = """\
# Wardgate's settings. A line that begins with `#` shows a default: take the `#` away to change it.
# Every value can also be set by the environment: WARDGATE_LISTEN, WARDGATE_LIMITS__BODY_BYTES, …
# Relative paths start at this file's folder.

listen: 127.0.0.1:8080          # inference API
admin_listen: 127.0.0.1:8081    # pages and management API: never the same port
database: sqlite:///var/wardgate.db    # or postgresql://user@host/database
data: var/                      # keys, sealed payload keys, added models
policies: policies/

models:                         # what clients may name
  chat: {engine: local, model: smollm2-135m}    # a small model that Wardgate runs itself
  # large:
  #   engine: openai            # any OpenAI-compatible server: vLLM, SGLang, TGI, llama.cpp, Ollama
  #   base_url: http://127.0.0.1:9000/v1
  #   model: llama-3.1-8b-instruct    # the name sent on; absent: the alias
  #   api_key_env: ENGINE_KEY   # or api_key_file: engine.key
  #   extra: {top_k: integer}   # this engine's own fields: integer, number, boolean or text
  #   timeouts: {first_byte: 120s}
  # "lab/*": {engine: openai, base_url: http://127.0.0.1:9001/v1, model: "*"}
  # notes: {engine: anthropic, base_url: http://127.0.0.1:9400/v1}    # a server that speaks Messages
  # echo: {engine: fake}        # no model: it answers with what would reach one

# Absent: any team, all models, no limits. Present: only these teams.
# teams:
#   clinical:
#     models: [chat]
#     requests_per_minute: 600
#     concurrent: 32
#     per_key: {requests_per_minute: 60, concurrent: 4}

# limits: {body_bytes: 2MiB, body_seconds: 30s, header_bytes: 64KiB, header_seconds: 20s, depth: 64, messages: 2000}
# upstream: {connect: 3s, first_byte: 180s, between_chunks: 30s, total: 600s, reply_bytes: 16MiB}
# telemetry: {service_name: wardgate}    # otlp_endpoint: http://collector:4318 sends spans and metrics
# scan_cache_bytes: 64MiB
# log_level: info
"""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=pathlib.Path))
def init(folder: pathlib.Path) -> None:
    """Write a wardgate.yaml and a policy folder to start from into DIR."""
    settings, policies = folder / DEFAULT_FILE, folder / "policies"
    packs = list_files(shipped_policies())
    targets = [policies / pack.name for pack in packs]
    there = [str(path) for path in (settings, *targets) if path.exists()]
    if there:
        raise click.ClickException(f"{', '.join(there)} exists already; nothing was written.")
    try:
        policies.mkdir(parents=True, exist_ok=True)
        for pack, target in zip(packs, targets, strict=True):
            shutil.copyfile(pack, target)
        settings.write_text(SETTINGS, "utf-8")
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {settings} and {len(targets)} policies in {policies}.")
    click.echo(f"Start it: wardgate serve --config {settings}")
